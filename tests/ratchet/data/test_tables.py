"""A Dataset appears whole or not at all."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from ratchet.data.digests import content_digest
from ratchet.data.tables import dataset_info, read_dataset, scan_dataset, write_dataset
from ratchet.errors import SchemaError, SourceError

FRAME = pl.DataFrame({"id": [1, 2, 3], "time": ["a", "b", "c"]}).with_columns(
    pl.Series("time", ["2024-03-01", "2024-03-03", "2024-03-02"]).str.to_datetime()
)


def test_what_is_written_is_read_and_says_the_same_of_itself(tmp_path: Path) -> None:
    info = write_dataset(FRAME, tmp_path / "data", source="test", time_column="time")
    assert read_dataset(tmp_path / "data").equals(FRAME)
    assert info == dataset_info(tmp_path / "data", source="test", time_column="time")
    assert info.metadata() == {
        "rows": "3",
        "columns": "2",
        "content_digest": content_digest(FRAME),
        "schema_digest": info.schema_digest,
        "time_min": "2024-03-01T00:00:00",
        "time_max": "2024-03-03T00:00:00",
        "source": "test",
    }


def test_parts_and_lazy_tables_are_the_same_data(tmp_path: Path) -> None:
    whole = write_dataset(FRAME.lazy(), tmp_path / "whole", source="test")
    parts = write_dataset((FRAME[i : i + 1] for i in range(3)), tmp_path / "parts", source="test")
    assert len(list((tmp_path / "parts").iterdir())) == 3
    assert whole.content_digest == parts.content_digest
    assert scan_dataset(tmp_path / "parts").collect().equals(FRAME)


def test_a_writer_that_fails_midway_leaves_nothing(tmp_path: Path) -> None:
    def breaking() -> Iterator[pl.DataFrame]:
        yield FRAME
        raise OSError("the source went away")

    with pytest.raises(OSError, match="went away"):
        write_dataset(breaking(), tmp_path / "data", source="test")
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_fails_leaves_the_earlier_data_alone(tmp_path: Path) -> None:
    write_dataset(FRAME, tmp_path / "data", source="first")
    with pytest.raises(SchemaError, match="a part has columns"):
        write_dataset([FRAME, FRAME.drop("id")], tmp_path / "data", source="second")
    assert read_dataset(tmp_path / "data").equals(FRAME)
    write_dataset(FRAME[:1], tmp_path / "data", source="third")
    assert read_dataset(tmp_path / "data").height == 1, "a retry replaces what an earlier try wrote"


def test_a_folder_that_is_no_dataset_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("years of work")
    with pytest.raises(SourceError, match="not a Dataset; choose another path"):
        write_dataset(FRAME, tmp_path / "home", source="test")
    assert (tmp_path / "home" / "thesis.tex").read_text() == "years of work"


def test_wrong_names_and_damaged_parts_are_named(tmp_path: Path) -> None:
    write_dataset(FRAME, tmp_path / "data", source="test")
    with pytest.raises(SchemaError, match="did you mean 'time'"):
        read_dataset(tmp_path / "data", ["tiem"])
    with pytest.raises(SchemaError, match=r"time column 'tiem'.*did you mean 'time'"):
        write_dataset(FRAME, tmp_path / "other", source="test", time_column="tiem")
    with pytest.raises(SchemaError, match="at least one table"):
        write_dataset([], tmp_path / "other", source="test")
    with pytest.raises(SourceError, match=r"not a folder of \.parquet parts"):
        read_dataset(tmp_path / "nowhere")
    part = tmp_path / "data" / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(SourceError, match="cannot be read"):
        read_dataset(tmp_path / "data")
