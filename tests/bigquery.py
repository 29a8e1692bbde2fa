"""BigQuery's REST API on the loopback, as far as its client lists tables and runs queries, made of the client's own classes.

with BigQuery() as server:
    server.add("shop.orders", [SchemaField("id", "INTEGER")], [["1"], ["2"]])      # values as REST has them
    server.answers["SELECT id FROM orders"] = "shop.orders"
    server.faults["GET data"] = [Fault(500)]
"""

import json
import re
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from google.cloud.bigquery import QueryJobConfig, SchemaField, Table

from tests.loopback import LoopbackHandler, LoopbackServer

API = "/bigquery/v2/projects/"
REASONS = {400: "invalidQuery", 403: "accessDenied", 404: "notFound", 429: "rateLimitExceeded", 500: "internalError", 503: "backendError"}


@dataclass(frozen=True)
class Fault:
    """Refuse with a status."""

    status: int
    message: str = "as the test asked"


@dataclass
class Stored:
    """A table: its columns, its rows as REST has them, and what it is."""

    fields: Sequence[SchemaField]
    rows: list[list[Any]]
    type: str = "TABLE"
    etag: str = field(default_factory=lambda: uuid.uuid4().hex)


class BigQuery(LoopbackServer):
    """The service; a context manager.

    Attributes:
        tables: "dataset.table" to what is stored.
        answers: Query to the table that is its answer.
        jobs: The configuration of each query that was sent, in order, those that were only tried included.
        faults: Call ("GET table", "GET data", "POST jobs", "GET queries") to what becomes of the next ones.
        statement_type: What a query is taken for.
        bytes: What a query would read.
        page: Rows of one page.
    """

    def __init__(self) -> None:
        """Listen on a free port."""
        self.tables: dict[str, Stored] = {}
        self.answers: dict[str, str] = {}
        self.jobs: list[QueryJobConfig] = []
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        self.asked: list[str] = []
        self.statement_type, self.bytes, self.page = "SELECT", 1_000, 2
        self.running: dict[str, dict[str, Any]] = {}
        super().__init__(_Handler)

    def add(self, name: str, fields: Sequence[SchemaField], rows: list[list[Any]], type: str = "TABLE") -> None:
        """Store a table."""
        self.tables[name] = Stored(fields, rows, type)


class Refused(Exception):
    """What the service answers instead."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Handler(LoopbackHandler):
    server_of: BigQuery

    def do_GET(self) -> None:
        self._serve("GET", b"")

    def do_POST(self) -> None:
        self._serve("POST", self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _serve(self, verb: str, body: bytes) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        try:
            answer, status = self._route(verb, unquote(url.path), query, json.loads(body or b"{}")), 200
        except Refused as refused:
            reason = REASONS[refused.status]
            error = {"message": str(refused), "domain": "global", "reason": reason}
            answer, status = {"error": {"code": refused.status, "message": str(refused), "errors": [error]}}, refused.status
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _route(self, verb: str, path: str, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        service = self.server_of
        project, _, rest = path.removeprefix(API).partition("/")
        patterns = {
            r"GET datasets/([^/]+)/tables/([^/]+)": ("GET table", self._table),
            r"GET datasets/([^/]+)/tables/([^/]+)/data": ("GET data", self._data),
            r"POST jobs": ("POST jobs", self._job),
            r"GET queries/([^/]+)": ("GET queries", self._results),
            r"GET jobs/([^/]+)": ("GET jobs", lambda project, query, body, job: service.running[job]),
        }
        for pattern, (call, handle) in patterns.items():
            match = re.fullmatch(pattern, f"{verb} {rest}")
            if match:
                service.asked.append(call)
                if service.faults[call]:
                    fault = service.faults[call].pop(0)
                    raise Refused(fault.status, fault.message)
                return handle(project, query, body, *match.groups())
        raise Refused(404, f"no such method: {verb} {path}")

    def _stored(self, project: str, dataset: str, table: str) -> Stored:
        found = self.server_of.tables.get(f"{dataset}.{table}")
        if found is None:
            raise Refused(404, f"Not found: Table {project}:{dataset}.{table}")
        return found

    def _table(self, project: str, query: dict[str, str], body: dict[str, Any], dataset: str, table: str) -> dict[str, Any]:
        stored = self._stored(project, dataset, table)
        resource = Table(f"{project}.{dataset}.{table}", schema=list(stored.fields)).to_api_repr()
        return {
            **resource,
            "kind": "bigquery#table",
            "etag": stored.etag,
            "numRows": str(len(stored.rows)),
            "type": stored.type,
            "location": "US",
        }

    def _data(self, project: str, query: dict[str, str], body: dict[str, Any], dataset: str, table: str) -> dict[str, Any]:
        return {"kind": "bigquery#tableDataList", **self._page(self._stored(project, dataset, table), query)}

    def _page(self, stored: Stored, query: dict[str, str]) -> dict[str, Any]:
        if query.get("formatOptions.useInt64Timestamp") != "True" and query.get("maxResults") != "0":
            raise Refused(400, "this server writes times as whole microseconds only")
        start = int(query.get("pageToken", "0"))
        end = start + min(int(query.get("maxResults", self.server_of.page)), self.server_of.page)
        rows = {"rows": [{"f": [{"v": value} for value in row]} for row in stored.rows[start:end]]} if end > start else {}
        more = {"pageToken": str(end)} if start < end < len(stored.rows) else {}
        return {"etag": stored.etag, "totalRows": str(len(stored.rows)), **rows, **more}

    def _job(self, project: str, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        service, configuration = self.server_of, body["configuration"]
        config = QueryJobConfig.from_api_repr(configuration)
        unknown = set(configuration["query"]) - {"query", "useLegacySql", "maximumBytesBilled", "defaultDataset", "useQueryCache"}
        if unknown or set(configuration) - {"query", "dryRun", "labels", "jobTimeoutMs"} or config.use_legacy_sql:
            raise Refused(400, f"unknown or unwanted: {unknown or set(configuration)}")
        service.jobs.append(config)
        sql = configuration["query"]["query"]
        if sql not in service.answers:
            raise Refused(400, f"Syntax error or unknown name in: {sql}")
        dataset, table = service.answers[sql].split(".")
        configuration["query"]["destinationTable"] = {"projectId": project, "datasetId": dataset, "tableId": table}
        told = {"statementType": service.statement_type, "totalBytesProcessed": str(service.bytes)}
        statistics = {"totalBytesProcessed": str(service.bytes), "query": told}
        reference = {"projectId": project, "location": "US", **body.get("jobReference", {"jobId": uuid.uuid4().hex})}
        job = {"kind": "bigquery#job", "jobReference": reference, "configuration": configuration, "statistics": statistics}
        job |= {"status": {"state": "DONE"}}
        if not config.dry_run:
            service.running[reference["jobId"]] = job
        return job

    def _results(self, project: str, query: dict[str, str], body: dict[str, Any], job: str) -> dict[str, Any]:
        place = self.server_of.running[job]["configuration"]["query"]["destinationTable"]
        stored = self._stored(project, place["datasetId"], place["tableId"])
        fields = [column.to_api_repr() for column in stored.fields]
        reference = self.server_of.running[job]["jobReference"]
        return {"jobComplete": True, "jobReference": reference, "schema": {"fields": fields}, **self._page(stored, query)}
