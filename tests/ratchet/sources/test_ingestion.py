"""The door: what comes in whole is a Dataset, and what is wrong is refused before anything is written."""

import gzip
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.data.digests import content_digest
from ratchet.data.tables import read_dataset
from ratchet.errors import ParameterError, RatchetError, SchemaError, SourceError
from ratchet.sources.ingestion import ingest, read_source

Finder = Callable[[str], Path]
DAYS = pl.DataFrame({"id": range(10), "time": [datetime(2024, 3, 1) + timedelta(days=day) for day in range(10)]})


def test_csv_and_parquet_of_the_same_rows_are_the_same_version(tmp_path: Path) -> None:
    DAYS.write_csv(tmp_path / "days.csv")
    DAYS.write_parquet(tmp_path / "days.parquet")
    (tmp_path / "folder").mkdir()
    DAYS[5:].write_parquet(tmp_path / "folder" / "a.parquet")
    DAYS[:5].write_parquet(tmp_path / "folder" / "b.parquet")
    infos = [ingest(tmp_path / name, tmp_path / "out", time_column="time") for name in ("days.csv", "days.parquet", "folder")]
    assert {info.content_digest for info in infos} == {content_digest(DAYS)}
    assert infos[0].schema_digest == infos[1].schema_digest
    assert infos[0].time_min == "2024-03-01T00:00:00"


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
cells = st.fixed_dictionaries(
    {
        "n": st.integers(-(2**62), 2**62),
        "x": st.one_of(st.none(), st.floats(allow_nan=False)),
        "s": st.one_of(st.none(), texts.map(lambda text: "t" + text)),
        "t": st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)),
    }
)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(st.lists(cells, min_size=1, max_size=12))
def test_a_table_survives_csv(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]]) -> None:
    folder = tmp_path_factory.mktemp("round")
    table = pl.DataFrame(rows, schema={"n": pl.Int64, "x": pl.Float64, "s": pl.String, "t": pl.Datetime("us")})
    table.write_csv(folder / "table.csv", quote_style="non_numeric")
    info = ingest(folder / "table.csv", folder / "out", time_column="t")
    assert info.content_digest == content_digest(table)


def test_a_window_takes_what_is_new_and_windows_add_up(tmp_path: Path) -> None:
    DAYS.write_parquet(tmp_path / "days.parquet")
    week = {"time_column": "time", "since": "2024-03-03", "until": "2024-03-05T00:00:00Z"}
    info = ingest(tmp_path / "days.parquet", tmp_path / "out", **week)
    assert read_dataset(tmp_path / "out")["id"].to_list() == [2, 3], "since is in the window, until is not"
    assert (info.time_min, info.time_max) == ("2024-03-03T00:00:00", "2024-03-04T00:00:00")
    before = ingest(tmp_path / "days.parquet", tmp_path / "before", time_column="time", until="2024-03-03")
    after = ingest(tmp_path / "days.parquet", tmp_path / "after", time_column="time", since="2024-03-05")
    assert before.rows + info.rows + after.rows == DAYS.height


def test_a_window_on_numbers_that_grow(tmp_path: Path) -> None:
    DAYS.write_parquet(tmp_path / "days.parquet")
    assert ingest(tmp_path / "days.parquet", tmp_path / "out", time_column="id", since="3", until="7.5").rows == 5


def test_rows_without_a_time_are_kept_for_validation_to_show(tmp_path: Path) -> None:
    (tmp_path / "days.csv").write_text("id,time\n1,2024-03-01\n2,\n3,2024-04-01\n")
    assert ingest(tmp_path / "days.csv", tmp_path / "out", time_column="time", since="2024-03-15").rows == 2


def test_pandas_bookkeeping_is_no_column(tmp_path: Path) -> None:
    DAYS.with_columns(pl.lit(1).alias("__index_level_0__")).write_parquet(tmp_path / "days.pq")
    assert ingest(f"file://{tmp_path}/days.pq", tmp_path / "out").columns == ("id", "time")


CSV = "id,time\n1,2024-03-01\n2,2024-03-02\n"
BAD: dict[str, tuple[str, bytes, dict[str, str], type[RatchetError], str]] = {
    "missing file": ("days.csv", CSV.encode(), {"source": "dasy.csv"}, SourceError, "does not exist; did you mean 'days.csv'"),
    "no source": ("days.csv", CSV.encode(), {"source": " "}, ParameterError, "'source' is empty"),
    "junk named parquet": ("x.parquet", b"\x00\x01junk" * 50, {}, SourceError, "cannot be read as Parquet"),
    "empty parquet": ("x.parquet", b"", {}, SourceError, "cannot be read as Parquet"),
    "junk": ("x.csv", bytes(range(256)) * 20, {}, SourceError, "NUL, so this is binary"),
    "unknown time": ("x.csv", CSV.encode(), {"time_column": "tiem"}, SchemaError, "no time column 'tiem'; did you mean 'time'"),
    "date that does not parse": (
        "x.csv",
        b"id,time\n1,2024-03-01\n2,2024-02-31\n3,soon\n",
        {"time_column": "time"},
        SchemaError,
        r"row 2 of time column 'time' holds '2024-02-31', which is not a date \(and 1 more rows\); write times as",
    ),
    "dates in another order": ("x.csv", b"id,time\n1,31/12/2024\n", {"time_column": "time"}, SchemaError, "row 1 .*'31/12/2024'"),
    "window without time": ("x.csv", CSV.encode(), {"since": "2024-03-01"}, ParameterError, "needs parameter 'time_column'"),
    "bound that is no date": (
        "x.csv",
        CSV.encode(),
        {"time_column": "time", "since": "yesterday"},
        ParameterError,
        "'since' is 'yesterday'",
    ),
    "bound of the wrong kind": ("x.csv", CSV.encode(), {"time_column": "time", "since": "5"}, ParameterError, "holds dates"),
    "bounds of two kinds": (
        "x.csv",
        CSV.encode(),
        {"time_column": "time", "since": "5", "until": "2024-03-01"},
        ParameterError,
        "not of one kind",
    ),
    "window turned round": (
        "x.csv",
        CSV.encode(),
        {"time_column": "time", "since": "2024-04-01", "until": "2024-03-01"},
        ParameterError,
        "not before until",
    ),
    "window without rows": (
        "x.csv",
        CSV.encode(),
        {"time_column": "time", "since": "2030-01-01"},
        SourceError,
        "no row has 'time' in .* runs from 2024-03-01 .* to 2024-03-02 .*widen the window",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    filename, content, changes, error, message = BAD[name]
    (tmp_path / filename).write_bytes(content)
    options = {"time_column": "", "since": "", "until": ""} | changes
    source = options.pop("source", filename)
    source = source if "://" in source or not source.strip() else str(tmp_path / source)
    with pytest.raises(error, match=message):
        ingest(source, tmp_path / "out", **options)
    assert [path.name for path in tmp_path.iterdir()] == [filename]


def test_folders_without_parts_or_with_unlike_parts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"holds no \.parquet file"):
        ingest(tmp_path, tmp_path / "out")
    DAYS.write_parquet(tmp_path / "a.parquet")
    DAYS.rename({"id": "key"}).write_parquet(tmp_path / "b.parquet")
    with pytest.raises(SourceError, match="all parts alike"):
        ingest(tmp_path, tmp_path.parent / "out-of-unlike-parts")
    DAYS.clear().write_parquet(tmp_path / "none.parquet")
    with pytest.raises(SourceError, match="not one row"):
        ingest(tmp_path / "none.parquet", tmp_path / "out")


def test_every_format_and_packing_of_the_same_rows_is_the_same_version(tmp_path: Path) -> None:
    texts = DAYS.with_columns(pl.col("time").dt.to_string("%Y-%m-%d"))
    (tmp_path / "days.jsonl").write_text("".join(json.dumps(row) + "\n" for row in texts.to_dicts()))
    (tmp_path / "days.jsonl.gz").write_bytes(gzip.compress((tmp_path / "days.jsonl").read_bytes()))
    (tmp_path / "days.txt").write_bytes(texts.write_csv(separator="\t").encode("utf-16"))
    (tmp_path / "days.dat").write_bytes(texts.write_csv(separator=";", quote_style="always").encode("cp1252"))
    (tmp_path / "days.csv.zst").write_bytes(pa.compress(texts.write_csv().encode(), codec="zstd", asbytes=True))
    for name in ("days.jsonl", "days.jsonl.gz", "days.txt", "days.csv.zst"):
        assert ingest(tmp_path / name, tmp_path / "out").content_digest == content_digest(DAYS)
    assert ingest(tmp_path / "days.dat", tmp_path / "out", encoding="cp1252", format="csv").content_digest == content_digest(DAYS)


@pytest.mark.slow
def test_a_contradiction_far_down_leaves_one_table_of_one_type(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_text(
        "id,code\n" + "".join(f"{number},{number:010}\n".replace("0000000", "1000000") for number in range(1_200_000)) + "2.5,0\n"
    )
    info = ingest(path, tmp_path / "out")
    parts = [pl.read_parquet_schema(part) for part in sorted((tmp_path / "out").iterdir())]
    assert len(parts) > 1
    assert {schema["id"] for schema in parts} == {pl.Float64()}
    assert info.rows == 1_200_001


@pytest.mark.slow
def test_a_window_is_held_against_the_type_that_all_values_agree_on(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_text("id,step\n" + "".join(f"{number},\n" for number in range(3_000_000)) + "7,5\n8,6\n")
    assert ingest(path, tmp_path / "out", time_column="step", since="6").rows == 3_000_001, "rows without a time are kept"


def test_what_was_dropped_is_told(tmp_path: Path) -> None:
    (tmp_path / "excel.csv").write_text("id;x;\n1;2;\n")
    info = ingest(tmp_path / "excel.csv", tmp_path / "out")
    assert info.metadata()["notes"] == "1 empty columns without a name, at the end of each row, were dropped"


def test_a_table_is_held_in_memory_only_within_its_bound(tmp_path: Path) -> None:
    DAYS.write_csv(tmp_path / "days.csv")
    assert read_source(tmp_path / "days.csv", at_most=10_000).height == 10
    with pytest.raises(SourceError, match="takes more than 100 bytes of memory; take fewer columns or rows"):
        read_source(tmp_path / "days.csv", at_most=100)


def test_a_scheme_that_is_none_is_refused_with_what_there_is() -> None:
    with pytest.raises(
        ParameterError, match=r"scheme 'htps' is no place of files \(did you mean 'https'\?\), and a database needs parameter 'query'"
    ):
        ingest("htps://example.org/days.csv", "nowhere")


PARAMETERS: list[tuple[str, dict[str, str], str]] = [
    ("days.csv", {"format": "cvs"}, "parameter 'format' is 'cvs'; did you mean 'csv'"),
    ("days.csv", {"encoding": "latin-12"}, "parameter 'encoding' is 'latin-12'"),
    ("days.csv", {"query": "select 1"}, "parameter 'query' is 'select 1', but source .*days.csv' is a file; leave 'query' empty"),
    ("days.csv", {"version": "3"}, "parameter 'version' is '3', but source .* is not a Delta table"),
]


@pytest.mark.parametrize(("name", "options", "message"), PARAMETERS)
def test_a_parameter_that_does_not_belong_to_the_source_is_refused(
    name: str, options: dict[str, str], message: str, tmp_path: Path
) -> None:
    DAYS.write_csv(tmp_path / "days.csv")
    with pytest.raises(ParameterError, match=message):
        ingest(tmp_path / name, tmp_path / "out", **options)


@pytest.mark.realdata
def test_a_real_month_of_card_payments_is_taken_from_parquet(real_data: Finder, tmp_path: Path) -> None:
    source = real_data("fraud_handbook/transactions.parquet")
    info = ingest(source, tmp_path / "out", time_column="TX_DATETIME", since="2018-07-25", until="2018-08-01")
    assert info.rows == 67_240
    assert (info.time_min or "") >= "2018-07-25"
    assert (info.time_max or "") < "2018-08-01"


def test_a_source_that_may_not_be_read_is_named_with_the_remedy(tmp_path, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", denied)
    with pytest.raises(SourceError, match=r"closed\.csv.*Permission denied; check its permissions"):
        ingest(tmp_path / "closed.csv", tmp_path / "out")
