"""Recorded rows, sent again as live requests, and their labels after a delay: a rehearsal of a rollout, or a start without traffic yet.

It speaks the gateway's own protocol as any client would. With a time column, rows go in the order of their own times and a gateway in
rehearsal records those, so that weeks of labels that come late pass in seconds; without one, times are the clock's.
"""

import heapq
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import polars as pl

from ratchet.data.tables import read_dataset
from ratchet.errors import ParameterError, nearest
from ratchet.features.durations import parse_duration
from ratchet.report.page import Page

CONNECTIONS = 4
BATCH = 500
TIMEOUT = 30.0
REFRESH = 1.0
LONGEST_WAIT = 3600.0


@dataclass
class Sent:
    """What was sent, and what became of it.

    Attributes:
        requests: Number of requests.
        failed: Those that got no answer, or one that is no prediction.
        labels: Labels that the gateway took.
        errors: The first of what went wrong.
        milliseconds: Of each answered request.
    """

    requests: int = 0
    failed: int = 0
    labels: int = 0
    errors: list[str] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """Return "answered", or "failed" when a request got no answer."""
        return "failed" if self.failed else "answered"

    def page(self) -> Page:
        """Return the summary that a person reads."""
        ordered = sorted(self.milliseconds)
        spread = {
            f"P{level} ms": round(ordered[min(len(ordered) - 1, len(ordered) * level // 100)], 2) for level in (50, 95, 99) if ordered
        }
        reason = self.errors[0] if self.errors else f"{self.requests} requests were answered, {self.labels} labels taken"
        facts = {"requests": self.requests, "failed": self.failed, "labels": self.labels, **spread}
        return Page("Replay", self.verdict, reason, "bad" if self.failed else "good", facts)


@dataclass(frozen=True)
class Replay:
    """A replay of recorded rows.

    Attributes:
        endpoint: URL of the gateway.
        model: Name of the deployment.
        target: Column of the labels; empty to send none.
        key: Column that keeps a client on one model; empty for none.
        time: Column of the rows' own times; empty for the clock's.
        rate: Requests a second.
        label_delay: How late a label follows its row, e.g. "7d".
        limit: Rows at most; 0 for all.
        prefix: Of the request ids, so that a second replay is not taken for the first.
    """

    endpoint: str
    model: str
    target: str = ""
    key: str = ""
    time: str = ""
    rate: float = 200.0
    label_delay: str = ""
    limit: int = 0
    prefix: str = "replay"

    def send(self, rows: str | Path | pl.DataFrame) -> Sent:
        """Send rows, then wait for what is due of their labels.

        Args:
            rows: A Dataset's folder, or a table.

        Raises:
            ParameterError: a column is not there, the rate is none, or the endpoint does not know the model.
        """
        table = rows if isinstance(rows, pl.DataFrame) else read_dataset(rows)
        if not self.rate > 0:
            raise ParameterError(f"rate {self.rate!r}: give requests a second, above 0")
        for name in filter(None, (self.target, self.key, self.time)):
            if name not in table.columns:
                raise ParameterError(f"no column {name!r} in the rows; {nearest(name, table.columns)}")
        delay = parse_duration(self.label_delay, "label_delay").total_seconds()
        if not self.time and delay > LONGEST_WAIT:
            raise ParameterError(
                f"label_delay {self.label_delay!r} of the clock is longer than an hour; name the time column, for a rehearsal"
            )
        table = (table.sort(self.time, maintain_order=True) if self.time else table).head(self.limit or table.height)
        sent, gateway = Sent(), Gateway(self.endpoint, self.model)
        with closing(gateway):
            self._send_all(table, delay, gateway, sent)
        return sent

    def _send_all(self, table: pl.DataFrame, delay: float, gateway: "Gateway", sent: Sent) -> None:
        lock, began = threading.Lock(), time.monotonic()
        inputs, looked = gateway.inputs(), began
        due: list[tuple[float, int, dict[str, Any]]] = []

        def ask(place: int, row: Mapping[str, Any]) -> None:
            at = time.monotonic()
            problem = gateway.infer(self._request(place, row, inputs))
            if problem.startswith("status 4"):  # the models changed, and what they read; the next look at the inputs is due
                problem = gateway.infer(self._request(place, row, gateway.inputs()))
            with lock:
                sent.requests += 1
                if problem:
                    sent.failed += 1
                    sent.errors.append(problem)
                else:
                    sent.milliseconds.append((time.monotonic() - at) * 1000)

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            for chunk, now in self._chunks(table):
                if time.monotonic() - looked > REFRESH:  # a challenger may read more than the champion does
                    inputs, looked = gateway.inputs(), time.monotonic()
                list(pool.map(lambda item: ask(*item), chunk))
                for place, row in chunk:
                    if self.target and row[self.target] is not None:
                        known = (seconds(row[self.time]) if self.time else time.time()) + delay
                        label = {"request_id": self._id(place), "label": plain(row[self.target]), "time": known}
                        heapq.heappush(due, (known, place, label))
                self._send_labels(due, now if self.time else time.time(), gateway, sent)
                behind = began + sent.requests / self.rate - time.monotonic()
                if behind > 0:
                    time.sleep(behind)
        while due and not self.time:
            time.sleep(max(0.0, min(1.0, due[0][0] - time.time())))
            self._send_labels(due, time.time(), gateway, sent)

    def _chunks(self, table: pl.DataFrame) -> Iterator[tuple[Sequence[tuple[int, dict[str, Any]]], float]]:
        """Give rows in small numbers, with the time of the last one."""
        size = max(1, min(64, int(self.rate / 4)))
        for first in range(0, table.height, size):
            rows = list(enumerate(table.slice(first, size).iter_rows(named=True), start=first))
            yield rows, seconds(rows[-1][1][self.time]) if self.time else 0.0

    def _send_labels(self, due: list[tuple[float, int, dict[str, Any]]], now: float, gateway: "Gateway", sent: Sent) -> None:
        ready = []
        while due and due[0][0] <= now:
            ready.append(heapq.heappop(due)[2])
        for first in range(0, len(ready), BATCH):
            taken, problem = gateway.feedback(ready[first : first + BATCH])
            sent.labels += taken
            if problem:
                sent.errors.append(problem)

    def _request(self, place: int, row: Mapping[str, Any], inputs: Mapping[str, str]) -> dict[str, Any]:
        parameters: dict[str, Any] = {}
        if self.key:
            parameters["key"] = str(row[self.key])
        if self.time:
            parameters["time"] = seconds(row[self.time])
        tensors = [{"name": name, "datatype": kind, "shape": [1], "data": [plain(row.get(name))]} for name, kind in inputs.items()]
        return {"id": self._id(place), "parameters": parameters, "inputs": tensors}

    def _id(self, place: int) -> str:
        return f"{self.prefix}-{place}"


class Gateway:
    """A client of one model behind a gateway; one connection a thread, kept open."""

    def __init__(self, endpoint: str, model: str) -> None:
        """Prepare; nothing is opened yet.

        Raises:
            ParameterError: the endpoint is no http URL.
        """
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ParameterError(f"endpoint {endpoint!r} is no URL; give e.g. http://127.0.0.1:8080")
        self.parts, self.model, self.local = parts, model, threading.local()
        self.opened: list[HTTPConnection] = []

    def close(self) -> None:
        """Close every thread's connection."""
        for connection in self.opened:
            connection.close()

    def inputs(self) -> dict[str, str]:
        """Return the model's inputs with their datatypes, with those that only a challenger reads.

        Raises:
            ParameterError: the endpoint does not answer, or does not know the model.
        """
        status, answer = self._ask("GET", f"/v2/models/{quote(self.model, safe='')}", None)
        if status != 200:
            raise ParameterError(f"{self.parts.geturl()} does not serve {self.model!r} (status {status}): {str(answer)[:300]}")
        return {tensor["name"]: tensor["datatype"] for tensor in (*answer["inputs"], *answer.get("optional_inputs", ()))}

    def infer(self, request: Mapping[str, Any]) -> str:
        """Send one request; return what went wrong, empty for nothing."""
        status, answer = self._ask("POST", f"/v2/models/{quote(self.model, safe='')}/infer", request)
        return "" if status == 200 and "outputs" in answer else f"status {status}: {str(answer)[:300]}"

    def feedback(self, labels: Sequence[Mapping[str, Any]]) -> tuple[int, str]:
        """Send labels; return how many were taken, and what went wrong."""
        status, answer = self._ask("POST", f"/v2/models/{quote(self.model, safe='')}/feedback", {"labels": list(labels)})
        if status != 200:
            return 0, f"labels: status {status}: {str(answer)[:300]}"
        refused = answer.get("errors") or []
        return int(answer.get("taken", 0)), f"labels: {refused[0]}" if refused else ""

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[int, Any]:
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        for attempt in (0, 1):  # a kept connection may have been closed by a restart; a second try opens a new one
            try:
                connection = self._connection(fresh=attempt > 0)
                connection.request(method, self.parts.path.rstrip("/") + path, content, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                text = answer.read()
                return answer.status, json.loads(text)
            except (OSError, HTTPException, ValueError) as error:
                problem = f"{type(error).__name__}: {error}"
        return 0, problem

    def _connection(self, *, fresh: bool) -> HTTPConnection:
        found: HTTPConnection | None = getattr(self.local, "connection", None)
        if found is None or fresh:
            if found is not None:
                found.close()
            kind = HTTPSConnection if self.parts.scheme == "https" else HTTPConnection
            found = kind(str(self.parts.hostname), self.parts.port, timeout=TIMEOUT)
            self.local.connection = found
            self.opened.append(found)
        return found


def seconds(value: Any) -> float:
    """Return a row's time in Unix seconds: a date, a time (UTC where it names no zone), or a number.

    >>> seconds(datetime(1970, 1, 2))
    86400.0
    """
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    return float(value)


def plain(value: Any) -> Any:
    """Return a value as JSON has it: times as text; what is not finite is missing."""
    if isinstance(value, date):
        return value.isoformat()
    return None if isinstance(value, float) and not abs(value) < float("inf") else value
