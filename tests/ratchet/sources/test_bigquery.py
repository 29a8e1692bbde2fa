"""Tables and queries of BigQuery, by Google's client against its API on the loopback."""

from collections.abc import Iterator
from datetime import datetime

import polars as pl
import pytest
from google.cloud.bigquery import SchemaField

from ratchet.errors import ParameterError, SchemaError, SourceError
from ratchet.sources.bigquery import MAX_BYTES_BILLED, read_bigquery
from ratchet.sources.databases import QueryLimits
from tests.bigquery import BigQuery, Fault

KINDS = {
    "id": ("INTEGER", "9007199254740993", pl.Int64, 9007199254740993),
    "rate": ("FLOAT", "0.5", pl.Float64, 0.5),
    "price": ("NUMERIC", "12.50", pl.Float64, 12.5),
    "huge": ("BIGNUMERIC", "0.25", pl.Float64, 0.25),
    "paid": ("BOOLEAN", "true", pl.Boolean, True),
    "name": ("STRING", "Zoë", pl.String, "Zoë"),
    "day": ("DATE", "2024-03-01", pl.Datetime("us"), datetime(2024, 3, 1)),
    "at": ("TIMESTAMP", "1709287200000001", pl.Datetime("us"), datetime(2024, 3, 1, 10, 0, 0, 1)),
    "local": ("DATETIME", "2024-03-01T10:00:00.5", pl.Datetime("us"), datetime(2024, 3, 1, 10, 0, 0, 500_000)),
    "time": ("TIME", "10:00:00", pl.String, "10:00:00"),
}
ORDERS = "bigquery://my-project/shop/orders"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[BigQuery]:
    with BigQuery() as running:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", running.url)
        fields = [SchemaField(name, kind) for name, (kind, *_) in KINDS.items()]
        empty = [None] * len(KINDS)
        running.add("shop.orders", fields, [empty, empty, [value for _, value, *_ in KINDS.values()], empty, empty])
        running.add("shop.counts", [SchemaField("n", "INTEGER")], [["1"], ["2"], ["3"]])
        running.answers["SELECT n FROM counts WHERE n > 0"] = "shop.counts"
        yield running


def test_a_table_comes_page_by_page_with_the_same_types(server):
    tables = list(read_bigquery(ORDERS))
    assert [table.height for table in tables] == [2, 2, 1]
    assert all(table.schema == {name: dtype for name, (_, _, dtype, _) in KINDS.items()} for table in tables)
    assert tables[1].row(0) == tuple(value for *_, value in KINDS.values())
    assert server.asked == ["GET table", "GET data", "GET data", "GET data", "GET table"]


def test_a_query_is_tried_then_run_with_a_bound_and_labels(server):
    tables = list(read_bigquery("bigquery://my-project/shop", "select n from counts where n > 0 -- all"))
    assert pl.concat(tables)["n"].to_list() == [1, 2, 3]
    tried, run = server.jobs
    assert (tried.dry_run, run.dry_run) == (True, None)
    assert run.maximum_bytes_billed == MAX_BYTES_BILLED
    assert run.labels == tried.labels == {"tool": "ratchet", "step": "ingest"}
    assert str(run.default_dataset) == "my-project.shop"
    assert run.to_api_repr()["jobTimeoutMs"] == "1800000"


def test_what_would_cost_too_much_or_do_more_than_read_is_not_run(server):
    server.bytes = MAX_BYTES_BILLED + 1
    with pytest.raises(SourceError, match="may be paid for"):
        list(read_bigquery("bigquery://my-project/shop", "SELECT n FROM counts WHERE n > 0"))
    server.bytes, server.statement_type = 1, "SCRIPT"
    with pytest.raises(ParameterError, match="takes it for SCRIPT"):
        list(read_bigquery("bigquery://my-project/shop", "SELECT n FROM counts WHERE n > 0"))
    assert all(job.dry_run for job in server.jobs)


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM t WHERE true",
        "SELECT * FROM EXTERNAL_QUERY('c', 'x')",
        "SELECT 1; SELECT 2",
        "EXPORT DATA OPTIONS(uri='gs://x') AS SELECT 1",
    ],
)
def test_only_a_select_is_sent(server, query):
    with pytest.raises(ParameterError):
        read_bigquery("bigquery://my-project", query)
    assert not server.asked


@pytest.mark.parametrize("uri", ["bigquery://", "bigquery://p/d/t/x", "bigquery://p/d/t`; drop", "bigquery://p", "bigquery://p/d"])
def test_an_address_without_a_table_is_refused(uri):
    with pytest.raises(ParameterError, match="bigquery://project/dataset"):
        read_bigquery(uri)


def test_a_table_and_a_query_are_one_too_many():
    with pytest.raises(ParameterError, match="a table, or a query"):
        read_bigquery(ORDERS, "SELECT 1")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (SchemaField("bad", "STRING", mode="REPEATED"), [{"v": "a"}]),
        (SchemaField("bad", "RECORD", fields=[SchemaField("x", "STRING")]), {"f": [{"v": "a"}]}),
        (SchemaField("bad", "BYTES"), "AA=="),
        (SchemaField("bad", "JSON"), "{}"),
        (SchemaField("bad", "GEOGRAPHY"), "POINT(0 0)"),
        (SchemaField("bad", "INTERVAL"), "0-0 1 0:0:0"),
        (SchemaField("bad", "NUMERIC"), "12345678901234567890.5"),
        (SchemaField("bad", "BIGNUMERIC"), "-9223372036854775809"),
    ],
)
def test_a_column_that_no_kind_holds_is_named(server, field, value):
    server.add("shop.odd", [SchemaField("id", "INTEGER"), field], [["1", value]])
    with pytest.raises(SchemaError, match="column 'bad'"):
        list(read_bigquery("bigquery://my-project/shop/odd"))


def test_what_the_service_says_is_said(server):
    with pytest.raises(SourceError, match=r"Not found: Table my-project:shop\.none"):
        list(read_bigquery("bigquery://my-project/shop/none"))
    server.faults["GET data"] = [Fault(403, "Access Denied: Table my-project:shop.orders")]
    with pytest.raises(SourceError, match="Access Denied"):
        list(read_bigquery(ORDERS))
    with pytest.raises(SourceError, match="Syntax error"):
        list(read_bigquery("bigquery://my-project", "SELECT m FROM counts"))
    assert len(server.asked) == 4, "none of these passes by itself"


@pytest.mark.slow
def test_what_passes_is_asked_again(server):
    server.faults = {call: [Fault(500), Fault(429)] if call == "GET data" else [Fault(503)] for call in ("GET table", "GET data")}
    assert sum(table.height for table in read_bigquery(ORDERS)) == 5
    server.faults = {"POST jobs": [Fault(503)], "GET queries": [], "GET data": [Fault(500)], "GET jobs": []}
    assert sum(table.height for table in read_bigquery("bigquery://my-project/shop", "SELECT n FROM counts WHERE n > 0")) == 3


@pytest.mark.slow
def test_what_does_not_pass_is_an_error(server):
    server.faults["GET data"] = [Fault(500, "the backend is tired")] * 100
    with pytest.raises(SourceError, match="the backend is tired"):
        list(read_bigquery(ORDERS, patience=1.0))


def test_a_table_that_must_be_computed_says_how(server):
    server.add("shop.view", [SchemaField("n", "INTEGER")], [["1"]], type="VIEW")
    with pytest.raises(SourceError, match="is a VIEW and must be computed; give its name in a query"):
        list(read_bigquery("bigquery://my-project/shop/view"))


def test_a_table_that_changes_while_it_is_read_is_an_error(server):
    tables = read_bigquery(ORDERS)
    next(tables)
    server.tables["shop.orders"].etag = "another"
    with pytest.raises(SourceError, match="changed while it was read"):
        list(tables)


def test_rows_that_are_missing_in_the_end_are_an_error(server):
    tables = read_bigquery("bigquery://my-project/shop", "SELECT n FROM counts WHERE n > 0")
    next(tables)
    del server.tables["shop.counts"].rows[2:]
    with pytest.raises(SourceError, match="gave 2 rows of 3"):
        list(tables)


def test_no_row_and_too_many_are_errors(server):
    server.add("shop.none", [SchemaField("n", "INTEGER")], [])
    with pytest.raises(SourceError, match="gives no row"):
        list(read_bigquery("bigquery://my-project/shop/none"))
    with pytest.raises(SourceError, match="more than 0 MiB"):
        list(read_bigquery(ORDERS, limits=QueryLimits(total=100)))
    with pytest.raises(SourceError, match="was not there after 0 s"):
        list(read_bigquery(ORDERS, limits=QueryLimits(seconds=0)))


def test_without_credentials_it_says_so(monkeypatch, tmp_path):
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(SourceError, match="give the step's environment Google credentials"):
        list(read_bigquery(ORDERS))
