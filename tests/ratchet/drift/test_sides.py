from pathlib import Path

import polars as pl
import pytest

from ratchet.data.tables import write_dataset
from ratchet.drift import sides
from ratchet.drift.samples import Categories, Numbers
from ratchet.drift.sides import Side
from ratchet.errors import SourceError

FRAME = pl.DataFrame({"x": [5, 1, None, 4, 2, 3, 7], "word": ["a", "b", None, "a", "c", "a", "b"]})


@pytest.fixture
def side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Side:
    """Seven rows in three parts, one of them empty, read two rows at a time."""
    write_dataset((FRAME[:3], FRAME[:0], FRAME[3:]), tmp_path / "data", source="test")
    monkeypatch.setattr(sides, "BATCH_ROWS", 2)
    return Side.open(tmp_path / "data")


def test_a_column_read_in_batches_over_parts_is_the_whole_column(side: Side) -> None:
    numbers, words = side.sample("x"), side.sample("word")
    assert isinstance(numbers, Numbers)
    assert isinstance(words, Categories)
    assert (side.rows, numbers.values.tolist(), numbers.rows) == (7, [1, 2, 3, 4, 5, 7], 7)
    assert sorted(str(words.text(int(value))) for value in words.hashes) == ["a", "a", "a", "b", "b", "c"]


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_columns_that_were_made_lie_beside_the_rows_that_they_were_made_of(side: Side, rows: int) -> None:
    made = side.with_made([(FRAME["x"] * 2).alias("double")])
    whole = pl.concat(made.frames(["double", "word", "x"], rows))
    assert whole.equals(FRAME.select((pl.col("x") * 2).alias("double"), "word", "x"))
    assert pl.concat(made.frames(["double"], rows))["double"].equals(FRAME["x"] * 2)
    assert "double" not in side.schema


def test_a_damaged_part_is_an_error_that_names_the_dataset(side: Side) -> None:
    part = side.parts[-1][0]
    part.write_bytes(part.read_bytes()[:200] + bytes(part.stat().st_size - 200))
    with pytest.raises(SourceError, match=r"data' cannot be read.*run the step"):
        Side.open(side.path).sample("x")


def test_a_part_of_another_type_is_an_error_that_names_the_column(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for number, values in enumerate(([1, 2], ["1", "2"])):
        pl.DataFrame({"x": values}).write_parquet(tmp_path / "data" / f"{number}.parquet")
    with pytest.raises(SourceError, match=r"column 'x' is Int64 in the first part and String in 1\.parquet"):
        Side.open(tmp_path / "data").sample("x")
