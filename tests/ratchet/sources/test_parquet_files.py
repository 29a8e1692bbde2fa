"""Parquet comes batch by batch, as the rows and columns that people meant."""

from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from ratchet.errors import SchemaError, SourceError
from ratchet.sources import parquet_files
from ratchet.sources.parquet_files import parquet_batches

ROWS = pl.DataFrame({"id": range(1_000), "price": [number / 7 for number in range(1_000)], "city": ["Oslo", ""] * 500})


def test_rows_keep_their_order_over_parts_and_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_files, "CELLS", 300)
    for place in range(2):
        ROWS[place * 500 : place * 500 + 500].write_parquet(tmp_path / f"{place}.parquet", row_group_size=130)
    batches = list(parquet_batches(tmp_path, "rows"))
    assert len(batches) > 4
    assert pl.concat(batches).rows() == ROWS.with_columns(pl.col("city").replace("", None)).rows()


def test_pandas_index_is_no_column_and_partitions_are(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1, 2]}, index=[5, 7]).to_parquet(tmp_path / "pandas.parquet")
    assert pl.concat(parquet_batches(tmp_path / "pandas.parquet", "x")).columns == ["a"]
    for year in (2023, 2024):
        (tmp_path / "lake" / f"year={year}").mkdir(parents=True)
        ROWS[:2].write_parquet(tmp_path / "lake" / f"year={year}" / "part.parquet")
    assert pl.concat(parquet_batches(tmp_path / "lake", "x"))["year"].to_list() == [2023, 2023, 2024, 2024]


def test_a_name_with_a_pattern_in_it_is_a_name(tmp_path: Path) -> None:
    ROWS.write_parquet(tmp_path / "rows[1]*.parquet")
    assert sum(batch.height for batch in parquet_batches(tmp_path / "rows[1]*.parquet", "x")) == 1_000


def test_what_cannot_be_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    for content in (b"", b"PAR1", b"junk" * 100):
        path.write_bytes(content)
        with pytest.raises(
            SourceError, match=r"source 'rows' cannot be read as Parquet: it is damaged, cut short or of another format; write or"
        ):
            list(parquet_batches(path, "rows"))
    ROWS.write_parquet(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:40] + bytes(200) + whole[240:])
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        list(parquet_batches(path, "rows"))
    pl.DataFrame({"a": [[1]]}).write_parquet(path)
    with pytest.raises(SchemaError, match=r"column 'a' is of type List.*flatten it, or drop it"):
        list(parquet_batches(path, "rows"))
    ROWS.clear().write_parquet(path)
    with pytest.raises(SourceError, match="has columns but not one row"):
        list(parquet_batches(path, "rows"))


def folder(path: Path, second: pl.DataFrame | bytes) -> Path:
    (path / "parts").mkdir()
    ROWS.write_parquet(path / "parts" / "a.parquet")
    second.write_parquet(path / "parts" / "b.parquet") if isinstance(second, pl.DataFrame) else (path / "parts" / "b.parquet").write_bytes(
        second
    )
    return path / "parts"


@pytest.mark.parametrize(
    ("second", "says"),
    [
        (ROWS.drop("price"), "has no column 'price', which 'a.parquet' has"),
        (ROWS.with_columns(late=1), "has column 'late', which 'a.parquet' has not"),
        (ROWS.cast({"price": pl.String}), "has column 'price' as string, 'a.parquet' as number"),
        (b"PAR1 and nothing else PAR1", "cannot be read as Parquet: it is damaged"),
    ],
)
def test_a_part_that_differs_or_is_damaged_is_named(second: pl.DataFrame | bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"part 'b.parquet' of source 'rows' {says}"):
        list(parquet_batches(folder(tmp_path, second), "rows"))


def test_parts_that_differ_in_width_and_order_are_alike(tmp_path: Path) -> None:
    narrow = ROWS.cast({"id": pl.Int16, "price": pl.Float32}).select("city", "price", "id")
    batches = list(parquet_batches(folder(tmp_path, narrow), "rows"))
    assert {batch.schema == batches[0].schema for batch in batches} == {True}
    assert pl.concat(batches)["id"].to_list() == [*range(1_000), *range(1_000)]


def test_what_spark_leaves_beside_its_parts_is_no_data(tmp_path: Path) -> None:
    place = folder(tmp_path, ROWS)
    for name in (".c.parquet", "_d.parquet", "_temporary/0/e.parquet"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        ROWS.write_parquet(place / name)
    assert sum(batch.height for batch in parquet_batches(place, "rows")) == 2_000


def test_partitions_are_of_one_type_over_all_parts(tmp_path: Path) -> None:
    for city in ("7", "Oslo"):
        (tmp_path / f"city={city}").mkdir()
        ROWS.drop("city")[:1].write_parquet(tmp_path / f"city={city}" / "part.parquet")
    assert pl.concat(parquet_batches(tmp_path, "rows"))["city"].to_list() == ["7", "Oslo"]
