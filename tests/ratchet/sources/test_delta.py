"""Delta tables written by deltalake, read at each of their versions."""

import json
import os
import shutil
import struct
from base64 import a85encode
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from ratchet.errors import ParameterError, SchemaError, SourceError
from ratchet.sources.delta import is_delta, read_delta, table_version
from ratchet.sources.ingestion import ingest
from tests.buckets import S3


def rows(uri: str, version: str = "") -> list[tuple[object, ...]]:
    tables = list(read_delta(uri, version))
    assert all(table.schema == tables[0].schema for table in tables)
    return sorted(pl.concat(tables).rows(), key=str)


@pytest.fixture
def table(tmp_path: Path) -> str:
    """Three versions: two partitions, one more row, one more column."""
    uri = str(tmp_path / "orders")
    pl.DataFrame({"n": [1, 2], "k": ["x", "y"]}).write_delta(uri, delta_write_options={"partition_by": ["k"]})
    pl.DataFrame({"n": [3], "k": ["x"]}).write_delta(uri, mode="append")
    pl.DataFrame({"n": [4], "k": ["z"], "at": [datetime(2024, 3, 1, tzinfo=UTC)]}).write_delta(
        uri, mode="append", delta_write_options={"schema_mode": "merge"}
    )
    return uri


def test_each_version_is_read_as_it_was(table):
    assert rows(table, "0") == [(1, "x"), (2, "y")]
    assert rows(table, "1") == [(1, "x"), (2, "y"), (3, "x")]
    assert rows(table, "2") == rows(table) == [(1, "x", None), (2, "y", None), (3, "x", None), (4, "z", datetime(2024, 3, 1))]
    assert rows(f"file://{table}", "0") == rows(table, "0")


def test_the_newest_version_is_settled_once(table):
    assert table_version(table, "") == 2
    reading = read_delta(table)
    DeltaTable(table).delete("n = 1")
    assert sum(part.height for part in reading) == 4
    assert table_version(table, "") == 3


def test_a_reader_that_ends_early_loses_no_row_in_silence(table, tmp_path, monkeypatch):
    whole = pl.LazyFrame.collect_batches
    monkeypatch.setattr(pl.LazyFrame, "collect_batches", lambda *given, **how: list(whole(*given, **how))[:-1])
    with pytest.raises(SourceError, match=r"orders@v2' cannot be read: \d of its rows are damaged"):
        ingest(table, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_ingest_says_which_version_it_was(table, tmp_path):
    assert ingest(table, tmp_path / "out").source == f"{table}@v2"
    info = ingest(table, tmp_path / "out", version="0")
    assert (info.source, info.rows, info.columns) == (f"{table}@v0", 2, ("n", "k"))


def test_a_time_is_the_version_of_then(table):
    for number, second in enumerate((1_700_000_000, 1_700_000_100, 1_700_000_200)):
        log = Path(table, "_delta_log", f"{number:020}.json")
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        for line in lines:
            if "commitInfo" in line:
                line["commitInfo"]["timestamp"] = second * 1_000
        log.write_text("".join(json.dumps(line) + "\n" for line in lines))
        os.utime(log, (second, second))
    assert table_version(table, "2023-11-14T22:14:59") == 0
    assert table_version(table, "2023-11-14T22:15:00Z") == 1
    assert table_version(table, "2023-11-15T00:16:39+02:00") == 1
    assert table_version(table, "2023-11-15") == 2
    with pytest.raises(SourceError, match=r"had no version at 2023-11-14T22:13:19Z; its oldest, 0, is of 2023-11-14T22:13:20Z"):
        table_version(table, "2023-11-14T22:13:19")


def test_a_version_that_is_not_there_is_an_error_that_names_those_that_are(table):
    with pytest.raises(SourceError, match="has no version 7; there are versions 0 to 2"):
        table_version(table, "7")
    for version in ("last week", "-1", "1.5", "v1", "9" * 30):
        with pytest.raises(ParameterError, match="'version' is"):
            read_delta(table, version)


def test_what_is_no_table_is_told_apart(table, tmp_path):
    (tmp_path / "plain").mkdir()
    assert is_delta(table)
    assert is_delta(f"file://{table}")
    for uri in (str(tmp_path / "plain"), str(tmp_path / "none"), "https://example.org/orders", "s3://shop/orders.csv"):
        assert not is_delta(uri)
    for uri in (str(tmp_path / "plain"), str(tmp_path / "none")):
        with pytest.raises(SourceError, match="is no Delta table"):
            table_version(uri, "")
    for uri in ("https://example.org/orders", "memory://orders"):
        with pytest.raises(SourceError, match="from a local folder or from gcs, gs, s3, s3a"):
            read_delta(uri)


def test_rows_that_were_deleted_or_replaced_are_gone(table):
    DeltaTable(table).delete("n = 1")
    assert [row[0] for row in rows(table)] == [2, 3, 4]
    assert [row[0] for row in rows(table, "2")] == [1, 2, 3, 4]


def deletion_vector(row: int) -> str:
    """A Delta deletion vector of one row as it is written into the log: a roaring bitmap in base 85 of ZeroMQ's alphabet."""
    bitmap = struct.pack("<IIHHIH", 12346, 1, 0, 0, 16, row)
    content = struct.pack("<IQI", 1681511377, 1, 0) + bitmap
    content += b"\0" * (-len(content) % 4)
    letters = bytes(range(33, 118))
    zeromq = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    encoded = b"".join(a85encode(content[at : at + 4]).replace(b"z", b"!!!!!") for at in range(0, len(content), 4))
    return encoded.translate(bytes.maketrans(letters, zeromq)).decode()


def test_a_deletion_vector_takes_its_row_out(tmp_path):
    uri = str(tmp_path / "orders")
    pl.DataFrame({"n": [1, 2, 3]}).write_delta(uri)
    log = Path(uri, "_delta_log")
    (added,) = [line["add"] for line in map(json.loads, (log / f"{0:020}.json").read_text().splitlines()) if "add" in line]
    vector = {"storageType": "i", "pathOrInlineDv": deletion_vector(1), "sizeInBytes": 34, "cardinality": 1}
    features = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"]}
    removed = {
        "path": added["path"],
        "deletionTimestamp": 1,
        "dataChange": True,
        "extendedFileMetadata": True,
        "partitionValues": {},
        "size": 1,
    }
    lines = [{"protocol": features}, {"remove": removed}, {"add": {**added, "deletionVector": vector}}]
    (log / f"{1:020}.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert [row[0] for row in rows(uri)] == [1, 3]
    assert [row[0] for row in rows(uri, "0")] == [1, 2, 3]


def test_a_feature_that_cannot_be_read_is_named(table):
    features = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["columnMapping"], "writerFeatures": ["columnMapping"]}
    Path(table, "_delta_log", f"{3:020}.json").write_text(json.dumps({"protocol": features}) + "\n")
    with pytest.raises(SourceError, match="columnMapping"):
        list(read_delta(table))
    assert rows(table, "2")


def test_files_that_were_cleared_away_are_an_error(table):
    shutil.rmtree(Path(table, "k=x"))
    with pytest.raises(SourceError, match=r"orders@v0' cannot be read: .* name a newer version"):
        list(read_delta(table, "0"))


def test_a_log_that_is_damaged_is_an_error(table):
    Path(table, "_delta_log", f"{2:020}.json").write_text("{")
    with pytest.raises(SourceError, match="cannot be read"):
        read_delta(table)


@pytest.mark.parametrize(("values", "said"), [([[1]], "List"), ([{"a": 1}], "Struct"), ([b"x"], "Binary")])
def test_a_column_that_no_kind_holds_is_named(tmp_path, values, said):
    pl.DataFrame({"good": [1], "bad": values}).write_delta(str(tmp_path / "odd"))
    with pytest.raises(SchemaError, match=f"column 'bad' is of type {said}"):
        list(read_delta(str(tmp_path / "odd")))


def test_a_table_without_rows_is_an_error(table):
    DeltaTable(table).delete()
    with pytest.raises(SourceError, match="not one row"):
        list(read_delta(table))


@pytest.mark.slow
def test_a_table_in_a_bucket(monkeypatch):
    with S3() as s3:
        for name, value in s3.environment.items():
            monkeypatch.setenv(name, value)
        uri = f"s3://{s3.bucket}/orders"
        assert not is_delta(uri)
        pl.DataFrame({"n": [1, 2], "k": ["x", "y"]}).write_delta(uri, delta_write_options={"partition_by": ["k"]})
        pl.DataFrame({"n": [3], "k": ["x"]}).write_delta(uri, mode="append")
        assert is_delta(uri)
        assert table_version(uri, "") == 1
        assert rows(uri, "0") == [(1, "x"), (2, "y")]
        assert rows(uri) == [(1, "x"), (2, "y"), (3, "x")]
        with pytest.raises(SourceError, match="has no version 5; there are versions 0 to 1"):
            table_version(uri, "5")
        for other in (f"s3://{s3.bucket}/none", "s3://no-such-bucket/orders"):
            with pytest.raises(SourceError, match=r"no Delta table|cannot be read"):
                table_version(other, "")
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        with pytest.raises(SourceError, match="check its address"):
            table_version(uri, "")
