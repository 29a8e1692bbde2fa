"""A table is the same table in whichever pieces it is read."""

from pathlib import Path

import polars as pl
import pytest

from ratchet.data import pieces
from ratchet.data.pieces import DatasetPieces, FramePieces
from ratchet.data.tables import write_dataset
from ratchet.errors import SourceError

FRAME = pl.DataFrame({"id": range(1_000), "city": ["Oslo", None] * 500, "reason": ["x"] * 1_000})


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    write_dataset(FRAME.iter_slices(300), tmp_path / "data", source="test")
    return tmp_path / "data"


@pytest.mark.parametrize("cells", [100, 1_000_000])
def test_rows_and_columns_come_whole_and_in_order(cells: int, dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "CELLS", cells)
    monkeypatch.setattr(pieces, "LARGEST", cells * 8)
    table = DatasetPieces(dataset, without=["reason"])
    wanted = FRAME.drop("reason")
    assert (table.height, table.schema) == (1_000, wanted.schema)
    assert pl.concat(piece.rows for piece in table.pieces()).equals(wanted)
    assert pl.DataFrame(list(table.columns(["city", "id"]))).equals(wanted.select("city", "id"))


def test_a_part_is_named_only_where_the_piece_is_all_of_it_as_it_is(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [piece.part for piece in DatasetPieces(dataset).pieces()] == sorted(dataset.glob("*.parquet"))
    assert {piece.part for piece in DatasetPieces(dataset, without=["reason"]).pieces()} == {None}
    monkeypatch.setattr(pieces, "CELLS", 100)
    assert {piece.part for piece in DatasetPieces(dataset).pieces()} == {None}, "a piece of a part"


@pytest.mark.parametrize("column", [pl.Series("city", ["", "x"]), pl.Series("city", [1, 2], dtype=pl.Int8)])
def test_a_part_that_is_not_canonical_is_not_taken_over(column: pl.Series, tmp_path: Path) -> None:
    column.to_frame().write_parquet(tmp_path / "spark.parquet")
    table = DatasetPieces(tmp_path)
    assert [piece.part for piece in table.pieces()] == [None]
    assert next(iter(table.pieces())).rows.schema == table.schema == FramePieces(column.to_frame()).schema


def test_a_damaged_part_is_said_to_be_one(dataset: Path) -> None:
    part = dataset / "part-00001.parquet"
    whole = part.read_bytes()
    part.write_bytes(whole[:30] + bytes(300) + whole[330:])
    with pytest.raises(SourceError, match=r"cannot be read.*run the step that wrote it again"):
        list(DatasetPieces(dataset).pieces())
    part.write_bytes(b"")
    with pytest.raises(SourceError, match="cannot be read"):
        DatasetPieces(dataset)
