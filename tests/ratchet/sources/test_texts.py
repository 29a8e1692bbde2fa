"""A text that is read from its start as often as a reader asks, plain or packed."""

import gzip

import pytest

from ratchet.errors import ParameterError
from ratchet.sources.texts import TextSource


def content(source: TextSource) -> bytes:
    with source._text() as text:
        return b"".join(iter(lambda: text.read(7), b""))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_a_text_is_read_again_from_its_start_in_utf_8(tmp_path, pack):
    path = tmp_path / "rows.txt"
    path.write_bytes(pack("city\nTromsø\n".encode("latin-1")))
    source = TextSource(path, encoding="latin-1")
    assert [content(source), content(source)] == ["city\nTromsø\n".encode()] * 2


def test_the_first_place_that_is_not_utf_8_is_named_by_what_the_text_is_called(tmp_path):
    path = tmp_path / "rows.txt"
    path.write_bytes(b"city\nTroms\xf8\n")
    assert "a.csv: line 2 is not UTF-8 text (byte 0xf8" in str(TextSource(path, "a.csv")._not_text())
    path.write_bytes(b"city\nOslo\n")
    assert TextSource(path)._not_text() is None


def test_an_encoding_that_there_is_not_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(ParameterError, match="'encoding' is 'latin-99'"):
        TextSource(tmp_path / "rows.txt", encoding="latin-99")
