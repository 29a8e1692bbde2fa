"""A Kubeflow Pipelines API server on the loopback, for real clients of kfp: strict about messages, and able to fail in every way asked for.

It has the v2beta1 routes that a submission calls. Each message is held against kfp_server_api's own models (an unknown field, a wrong type,
something missing: 400), ids must exist, arguments must be the uploaded pipeline's. What a run does is told by ``plays``: by default it
succeeds and records nothing.

    with Kubeflow() as server:
        server.plays = server.deciding("hold", "rejected", "no better")     # what the run's steps would write to the ledger
        server.faults["create run"] = [Fault(500), Cut(after=True)]         # then it answers
        ...
        assert len(server.runs) == 1
"""

import json
import re
import socket
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml
from kfp_server_api import models

from tests.loopback import LoopbackHandler, LoopbackServer

API = "/apis/v2beta1"
NATIVE: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "bool": (bool,), "object": (dict, list, str, int, float, bool)}
LISTING = {"page_token", "page_size", "sort_by", "filter", "namespace"}
OPERATIONS = {1: "EQUALS", "EQUALS": "EQUALS"}


@dataclass(frozen=True)
class Fault:
    """Refuse with a status, before anything takes effect."""

    status: int
    message: str = "as the test asked"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """Close the connection without an answer; ``after`` the effect took place, or before."""

    after: bool


@dataclass(frozen=True)
class LoginPage:
    """Answer 200 with a page, as a proxy does when a session has ended."""


@dataclass(frozen=True)
class Rival:
    """Let somebody else ask for the same just before."""


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    route: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every leaf of a message with its path, for a test of each field."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    else:
        yield path, value


class Refused(Exception):
    """What the server answers instead."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Kubeflow(LoopbackServer):
    """The server; a context manager. Its state is plain dictionaries in the API's JSON."""

    def __init__(self, *, token: str = "", cookie: str = "", base: str = "") -> None:
        """Listen; with a token or a cookie, whoever does not send it gets 401."""
        self.token, self.cookie, self.base = token, cookie, base
        self.pipelines: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, dict[str, Any]] = {}
        self.experiments: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.recurring_runs: dict[str, dict[str, Any]] = {}
        self.uploads: dict[str, bytes] = {}
        self.asked: list[Asked] = []
        self.faults: dict[str, list[Fault | Cut | LoginPage | Rival]] = defaultdict(list)
        self.plays: Callable[[dict[str, Any]], None] = lambda run: run.update(state="SUCCEEDED")
        self.filters = True  # False: lists everything, as a server does that does not know a filter
        self._lock = threading.Lock()
        super().__init__(_Handler)

    @property
    def url(self) -> str:
        """Its address, as ``kubeflow.host``."""
        return super().url + self.base

    def deciding(self, step: str, verdict: str, reason: str, *, state: str = "SUCCEEDED") -> Callable[[dict[str, Any]], None]:
        """Return a play whose steps record one verdict in the ledger of this process's settings, under the run's id."""
        from ratchet.delivery.ledger import Ledger
        from ratchet.settings import load_settings

        def play(run: dict[str, Any]) -> None:
            name = run["runtime_config"]["parameters"].get("model", "none")
            Ledger.open(load_settings()).record_verdict(run["run_id"], name, step, verdict, reason)
            run["state"] = state

        return play

    def failing(self, step: str, message: str) -> Callable[[dict[str, Any]], None]:
        """Return a play in which one step fails before anything is decided."""

        def play(run: dict[str, Any]) -> None:
            detail = {"display_name": step, "state": "FAILED", "error": {"code": 2, "message": message}}
            run.update(state="FAILED", run_details={"task_details": [{"display_name": "root", "state": "FAILED"}, detail]})

        return play

    def of_route(self, route: str) -> list[Asked]:
        """Return the requests of one route, e.g. "create run"."""
        return [asked for asked in self.asked if asked.route == route]

    # -- routes: name, method, path; the method is named like the route

    def healthz(self, asked: Asked) -> dict[str, Any]:
        _only(asked.query, set())
        return {"multi_user": False}

    def list_pipelines(self, asked: Asked) -> dict[str, Any]:
        _only(asked.query, LISTING)
        return _listed("pipelines", self.pipelines.values(), asked.query, self.filters)

    def create_pipeline(self, asked: Asked) -> dict[str, Any]:
        _only(asked.query, set())
        body = _message(asked.body, "V2beta1Pipeline", needs={"display_name"})
        _unique(self.pipelines.values(), body["display_name"], namespace=body.get("namespace"))
        return _stored(self.pipelines, "pipeline_id", body)

    def get_pipeline(self, asked: Asked, pipeline_id: str) -> dict[str, Any]:
        return _found(self.pipelines, pipeline_id, "pipeline")

    def list_versions(self, asked: Asked, pipeline_id: str) -> dict[str, Any]:
        _only(asked.query, LISTING - {"namespace"})
        _found(self.pipelines, pipeline_id, "pipeline")
        return _listed(
            "pipeline_versions", [item for item in self.versions.values() if item["pipeline_id"] == pipeline_id], asked.query, self.filters
        )

    def get_version(self, asked: Asked, pipeline_id: str, version_id: str) -> dict[str, Any]:
        return _found(self.versions, version_id, "pipeline version")

    def upload_version(self, asked: Asked) -> dict[str, Any]:
        _only(asked.query, {"name", "display_name", "pipelineid", "description", "tags"})
        pipeline_id = asked.query.get("pipelineid", "")
        _found(self.pipelines, pipeline_id, "pipeline")
        name = asked.query.get("display_name") or asked.query.get("name") or ""
        if not name:
            raise Refused(400, "a version needs a name")
        _unique([item for item in self.versions.values() if item["pipeline_id"] == pipeline_id], name)
        documents = list(yaml.safe_load_all(asked.body))
        if not documents or "pipelineInfo" not in documents[0] or (len(documents) == 2) != ("platforms" in documents[-1]):
            raise Refused(400, "the file is no pipeline")
        spec = {"pipeline_spec": documents[0], "platform_spec": documents[1]} if len(documents) == 2 else documents[0]
        body = {"pipeline_id": pipeline_id, "name": asked.query["name"], "display_name": name, "pipeline_spec": spec}
        stored = _stored(self.versions, "pipeline_version_id", body)
        self.uploads[stored["pipeline_version_id"]] = asked.body
        return stored

    def list_experiments(self, asked: Asked) -> dict[str, Any]:
        _only(asked.query, LISTING)
        return _listed("experiments", self.experiments.values(), asked.query, self.filters)

    def create_experiment(self, asked: Asked) -> dict[str, Any]:
        body = _message(asked.body, "V2beta1Experiment", needs={"display_name"})
        _unique(self.experiments.values(), body["display_name"], namespace=body.get("namespace"))
        return _stored(self.experiments, "experiment_id", {"storage_state": "AVAILABLE", **body})

    def get_experiment(self, asked: Asked, experiment_id: str) -> dict[str, Any]:
        return _found(self.experiments, experiment_id, "experiment")

    def list_runs(self, asked: Asked) -> dict[str, Any]:
        _only(asked.query, LISTING | {"experiment_id"})
        return _listed("runs", self.runs.values(), asked.query, self.filters)

    def create_run(self, asked: Asked) -> dict[str, Any]:
        _only(asked.query, {"experiment_id"})
        body = _message(asked.body, "V2beta1Run", needs={"display_name", "experiment_id", "pipeline_version_reference", "runtime_config"})
        self._referring(body)
        return _stored(self.runs, "run_id", {"state": "PENDING", **body})

    def get_run(self, asked: Asked, run_id: str) -> dict[str, Any]:
        run = _found(self.runs, run_id, "run")
        if run["state"] == "PENDING":  # a look or two before the end, so that somebody who waits has waited
            run["state"] = "RUNNING"
        elif run["state"] == "RUNNING":
            self.plays(run)
        return run

    def terminate_run(self, asked: Asked, run_id: str) -> dict[str, Any]:
        _found(self.runs, run_id, "run")["state"] = "CANCELED"
        return {}

    def list_recurring_runs(self, asked: Asked) -> dict[str, Any]:
        _only(asked.query, LISTING | {"experiment_id"})
        return _listed("recurringRuns", self.recurring_runs.values(), asked.query, self.filters)

    def create_recurring_run(self, asked: Asked) -> dict[str, Any]:
        needed = {"display_name", "experiment_id", "pipeline_version_reference", "runtime_config", "trigger", "mode", "max_concurrency"}
        body = _message(asked.body, "V2beta1RecurringRun", needs=needed)
        self._referring(body)
        if len(body["trigger"]) != 1:
            raise Refused(400, "a trigger is a cron_schedule or a periodic_schedule")
        if len(body["trigger"].get("cron_schedule", {}).get("cron", "* * * * * *").split()) != 6:
            raise Refused(400, "a cron expression has six fields, the first of seconds")
        return _stored(self.recurring_runs, "recurring_run_id", {"status": "ENABLED", **body})

    def get_recurring_run(self, asked: Asked, recurring_run_id: str) -> dict[str, Any]:
        return _found(self.recurring_runs, recurring_run_id, "recurring run")

    def delete_recurring_run(self, asked: Asked, recurring_run_id: str) -> dict[str, Any]:
        _found(self.recurring_runs, recurring_run_id, "recurring run")
        del self.recurring_runs[recurring_run_id]
        return {}

    def _referring(self, body: dict[str, Any]) -> None:
        """Check that what a run refers to is there, and that its arguments are the pipeline's."""
        _found(self.experiments, body["experiment_id"], "experiment")
        reference = body["pipeline_version_reference"]
        version = _found(self.versions, reference.get("pipeline_version_id", ""), "pipeline version")
        if version["pipeline_id"] != reference.get("pipeline_id"):
            raise Refused(400, "the version is not of this pipeline")
        spec = version["pipeline_spec"].get("pipeline_spec", version["pipeline_spec"])
        declared = spec["root"].get("inputDefinitions", {}).get("parameters", {})
        given = body["runtime_config"].get("parameters", {})
        types = {"STRING": str, "NUMBER_INTEGER": int, "NUMBER_DOUBLE": (int, float), "BOOLEAN": bool, "LIST": list, "STRUCT": dict}
        for name, value in given.items():
            if name not in declared or not isinstance(value, types[declared[name]["parameterType"]]):
                raise Refused(400, f"argument {name!r} is {value!r}, which the pipeline does not take")
        if missing := [name for name, item in declared.items() if not item.get("isOptional") and name not in given]:
            raise Refused(400, f"argument {missing[0]!r} is missing")


ROUTES = [
    ("healthz", "GET", "/healthz"),
    ("list pipelines", "GET", "/pipelines"),
    ("create pipeline", "POST", "/pipelines"),
    ("upload version", "POST", "/pipelines/upload_version"),
    ("get pipeline", "GET", "/pipelines/([^/]+)"),
    ("list versions", "GET", "/pipelines/([^/]+)/versions"),
    ("get version", "GET", "/pipelines/([^/]+)/versions/([^/]+)"),
    ("list experiments", "GET", "/experiments"),
    ("create experiment", "POST", "/experiments"),
    ("get experiment", "GET", "/experiments/([^/]+)"),
    ("list runs", "GET", "/runs"),
    ("create run", "POST", "/runs"),
    ("terminate run", "POST", "/runs/([^/]+):terminate"),
    ("get run", "GET", "/runs/([^/]+)"),
    ("list recurring runs", "GET", "/recurringruns"),
    ("create recurring run", "POST", "/recurringruns"),
    ("get recurring run", "GET", "/recurringruns/([^/]+)"),
    ("delete recurring run", "DELETE", "/recurringruns/([^/]+)"),
]


class _Handler(LoopbackHandler):
    disable_nagle_algorithm = True
    wbufsize = -1
    server_of: Kubeflow

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        kubeflow = self.server_of
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        with kubeflow._lock:
            url = urlsplit(self.path)
            route, parts = self._route(url.path.removeprefix(kubeflow.base))
            fault = kubeflow.faults[route].pop(0) if kubeflow.faults[route] else None
            if isinstance(fault, Fault):
                return self._send(fault.status, {"code": 2, "message": fault.message}, fault.headers)
            if isinstance(fault, LoginPage):
                return self._send(200, "<html>Log in</html>", {})
            if isinstance(fault, Cut) and not fault.after:
                return self._cut()
            try:
                query = dict(parse_qsl(url.query, keep_blank_values=True, strict_parsing=bool(url.query)))
                asked = Asked(route, query, dict(self.headers), self._body(raw))
                kubeflow.asked.append(asked)
                self._authenticated()
                if isinstance(fault, Rival):
                    self._effect(asked, parts)
                answer = self._effect(asked, parts)
                status = 200
            except Refused as refused:
                status, answer = refused.status, {"code": 3, "message": str(refused)}
            if isinstance(fault, Cut):
                return self._cut()
            return self._send(status, answer, {})

    def _route(self, path: str) -> tuple[str, tuple[str, ...]]:
        for name, method, pattern in ROUTES:
            if method == self.command and (match := re.fullmatch(API + pattern, path)):
                return name, match.groups()
        return "", ()

    def _effect(self, asked: Asked, parts: tuple[str, ...]) -> dict[str, Any]:
        if not asked.route:
            raise Refused(404, f"no route {self.path}")
        return dict(getattr(self.server_of, asked.route.replace(" ", "_"))(asked, *parts))

    def _authenticated(self) -> None:
        kubeflow = self.server_of
        if kubeflow.token and self.headers.get("Authorization") != f"Bearer {kubeflow.token}":
            raise Refused(401, "no valid token")
        if kubeflow.cookie and kubeflow.cookie not in (self.headers.get("Cookie") or ""):
            raise Refused(401, "no valid session")

    def _body(self, raw: bytes) -> Any:
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("multipart/form-data"):
            message = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + raw)
            parts = {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in message.get_payload()}
            if set(parts) != {"uploadfile"}:
                raise Refused(400, f"an upload is one part, 'uploadfile', not {sorted(map(str, parts))}")
            return parts["uploadfile"]
        try:
            return json.loads(raw) if raw else None
        except ValueError as error:
            raise Refused(400, f"no JSON: {error}") from error

    def _send(self, status: int, answer: Any, headers: dict[str, str]) -> None:
        data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _only(query: dict[str, str], known: set[str]) -> None:
    if unknown := set(query) - known:
        raise Refused(400, f"unknown query parameters {sorted(unknown)}")


def _message(body: Any, kind: str, needs: set[str]) -> dict[str, Any]:
    _check(body, kind, kind)
    if missing := sorted(name for name in needs if body.get(name) in (None, "")):
        raise Refused(400, f"{kind}.{missing[0]} is missing")
    return dict(body)


def _check(value: Any, kind: str, where: str) -> None:
    """Hold a value against a type of the API's models."""
    if match := re.fullmatch(r"list\[(.+)\]", kind):
        if not isinstance(value, list):
            raise Refused(400, f"{where} is no list")
        for item in value:
            _check(item, match[1], where)
    elif match := re.fullmatch(r"dict\(str, (.+)\)", kind):
        if not isinstance(value, dict):
            raise Refused(400, f"{where} is no object")
        for name, item in value.items():
            _check(item, match[1], f"{where}.{name}")
    elif kind == "datetime":
        if not isinstance(value, str):
            raise Refused(400, f"{where} is no time")
    elif kind in NATIVE:
        if not isinstance(value, NATIVE[kind]) or (isinstance(value, bool) and kind in ("int", "str")):
            raise Refused(400, f"{where} is {value!r}, which is no {kind}")
    else:
        _check_model(value, getattr(models, kind), where)


def _check_model(value: Any, model: Any, where: str) -> None:
    if hasattr(model, "allowable_values"):
        if value not in model.allowable_values:
            raise Refused(400, f"{where} is {value!r}, which is none of {model.allowable_values}")
        return
    if not isinstance(value, dict):
        raise Refused(400, f"{where} is no object")
    types = {model.attribute_map[name]: kind for name, kind in model.openapi_types.items()}
    for name, item in value.items():
        if name not in types:
            raise Refused(400, f"{where} has no field {name!r}")
        _check(item, types[name], f"{where}.{name}")


def _unique(items: Any, name: str, **others: Any) -> None:
    if any(item["display_name"] == name and all(item.get(key) == value for key, value in others.items()) for item in items):
        raise Refused(409, f"{name!r} exists already")


def _stored(shelf: dict[str, dict[str, Any]], key: str, body: dict[str, Any]) -> dict[str, Any]:
    identity = str(uuid.uuid4())
    shelf[identity] = {**body, key: identity, "created_at": datetime.now(UTC).isoformat()}
    return shelf[identity]


def _found(shelf: dict[str, dict[str, Any]], key: str, what: str) -> dict[str, Any]:
    if key not in shelf:
        raise Refused(404, f"{what} {key!r} not found")
    return shelf[key]


def _listed(key: str, items: Any, query: dict[str, str], filters: bool) -> dict[str, Any]:
    found = list(items)
    for name in ("namespace", "experiment_id"):
        found = [item for item in found if name not in query or item.get(name) == query[name]]
    for predicate in json.loads(query.get("filter") or "{}").get("predicates", []):
        if set(predicate) != {"operation", "key", "stringValue"} or predicate["operation"] not in OPERATIONS:
            raise Refused(400, f"a filter that this server does not know: {predicate}")
        if filters:
            found = [item for item in found if item.get(predicate["key"]) == predicate["stringValue"]]
    start, size = int(query.get("page_token") or 0), int(query.get("page_size") or 20)
    page = {key: found[start : start + size]} if found else {}
    return page | ({"next_page_token": str(start + size)} if start + size < len(found) else {})
