"""Packed files are unpacked as they are read, and one that is damaged or a bomb is refused."""

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from ratchet.errors import SourceError
from ratchet.sources import packed
from ratchet.sources.packed import is_packed, unpacked

TEXT = b"id,x\n" + b"".join(b"%d,%d\n" % (number, number * 7919 % 10_007) for number in range(100_000))


def zstd(text: bytes) -> bytes:
    return pa.compress(text, codec="zstd", asbytes=True)  # type: ignore[no-any-return]


PACK = {"gzip": gzip.compress, "zstd": zstd, "plain": bytes}


def read(path: Path) -> bytes:
    with unpacked(path, "rows.csv") as stream:
        return b"".join(iter(lambda: stream.read(10_000), b""))


@pytest.mark.parametrize("packing", PACK)
def test_what_was_packed_comes_out_whatever_the_name(packing: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(PACK[packing](TEXT))
    assert read(path) == TEXT
    assert is_packed(path) == (packing != "plain")


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_streams_one_after_the_other_are_one_text(packing: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(PACK[packing](b"a\n1\n") + PACK[packing](b"2\n"))
    assert read(path) == b"a\n1\n2\n"


@pytest.mark.parametrize(("packing", "damage"), [("gzip", "cut"), ("gzip", "changed"), ("zstd", "cut")])
def test_a_stream_that_is_cut_or_changed_is_refused(packing: str, damage: str, tmp_path: Path) -> None:
    whole = PACK[packing](TEXT)
    middle = len(whole) // 2
    path = tmp_path / "rows.csv"
    path.write_bytes(whole[:-20] if damage == "cut" else whole[:middle] + bytes(64) + whole[middle + 64 :])
    with pytest.raises(SourceError, match=rf"rows.csv: the {packing} stream is damaged or cut short.*transfer the file again"):
        read(path)


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_bomb_is_refused_when_it_goes_off(packing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MOST_UNPACKED", 1_000_000)
    path = tmp_path / "rows.csv"
    path.write_bytes(PACK[packing](b"0,0\n" * 2_000_000))
    with pytest.raises(SourceError, match=r"unpack to more than 1,\d\d\d,\d\d\d, beyond 200 times their size.*give the plain file"):
        read(path)
    path.write_bytes(PACK[packing](TEXT * 3))
    assert read(path) == TEXT * 3, "ordinary text does not shrink so far"
