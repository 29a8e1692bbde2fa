"""Text in any declared encoding comes out as UTF-8, and nothing is guessed."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.errors import ParameterError, SourceError
from ratchet.sources.encodings import TextStream, declared, fault

TEXT = "id;city\n1;Tromsø\n2;Kraków\n"
writable = st.text(st.characters(codec="cp1252", exclude_characters="\0"), max_size=60)


def read(data: bytes, encoding: str = "", size: int = 7) -> str:
    stream = TextStream(io.BytesIO(data), declared(encoding), "a.csv")
    return b"".join(iter(lambda: stream.read(size), b"")).decode()


@pytest.mark.slow
@given(writable, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]), st.integers(1, 9))
def test_a_byte_order_mark_is_believed_and_is_no_part_of_the_text(text: str, encoding: str, size: int) -> None:
    assert read(text.encode(encoding), size=size) == text.removeprefix("\ufeff")


@given(writable, st.sampled_from(["cp1252", "utf-16-le", "utf-16-be", "utf-8"]), st.integers(1, 9))
def test_what_is_declared_is_what_is_read(text: str, encoding: str, size: int) -> None:
    assert read(text.encode(encoding), encoding, size) == text


def test_a_name_that_is_no_encoding_of_text_is_refused() -> None:
    assert declared(" CP1252 ") == "cp1252"
    for name in ("latin-12", "rot13", "base64"):
        with pytest.raises(ParameterError, match=f"parameter 'encoding' is '{name}'"):
            declared(name)


def test_a_declaration_that_the_mark_belies_is_refused() -> None:
    with pytest.raises(SourceError, match="'cp1252' was declared, but the file begins with the mark of utf-16"):
        read(TEXT.encode("utf-16"), "cp1252")
    assert read(TEXT.encode("utf-8-sig"), "utf-8") == TEXT


def test_a_byte_that_is_not_of_the_declared_encoding_is_named_by_line() -> None:
    with pytest.raises(SourceError, match=r"line 3 is not cp1252 text \(byte 0x81\); declare the encoding"):
        read(b"a\nb\n\x81\n", "cp1252")
    with pytest.raises(SourceError, match=r"line 2 is not utf-16-le text"):
        read("a\nb".encode("utf-16-le")[:-1], "utf-16-le")


def test_a_nul_is_named_and_utf_16_without_a_mark_is_thought_of() -> None:
    with pytest.raises(SourceError, match=r"byte 1 is a NUL.*declare encoding utf-16-le or utf-16-be"):
        read("id\n".encode("utf-16-le"))
    with pytest.raises(SourceError, match=r"byte 2,000,003 is a NUL"):
        read(b"x" * 2_000_003 + b"\0", size=1 << 16)


@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_the_first_fault_is_found_wherever_blocks_end(size: int) -> None:
    data = "id,city\n1,Oslo\n2,Tromsø\n".encode("latin-1")
    found = fault((data[at : at + size] for at in range(0, len(data), size)), "a.csv")
    assert "a.csv: line 3 is not UTF-8 text (byte 0xf8, after" in str(found)
    assert "declare its encoding: cp1252" in str(found)


def test_a_file_in_two_encodings_is_told_from_one_in_another() -> None:
    mixed = "1,Tromsø\n".encode() + "2,Tromsø\n".encode("latin-1")
    assert "line 2 is not UTF-8 text (byte 0xf8, after '2,Troms'), and text before it is: the file mixes encodings" in str(
        fault(iter([mixed]), "a")
    )
    assert fault(iter([TEXT.encode()]), "a") is None
    assert "line 1" in str(fault(iter(["ø".encode()[:1]]), "a")), "cut in the middle of a letter"
