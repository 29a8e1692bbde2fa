"""Clients of a gateway under test: they send requests all the time and note every failure, whatever becomes of the gateway."""

import http.client
import json
import math
import random
import threading
import time
from dataclasses import dataclass

import numpy as np

NAME = "fraud"


def truth(row: dict[str, float]) -> int:
    """What becomes of a row; the challenger was trained on it."""
    return int(row["amount"] + 3 > row["hour"])


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what came of it; status 0 for no answer at all. The times are of `time.monotonic`."""

    sent: float
    done: float
    status: int
    version: str
    error: str


class Clients:
    """Threads that send one request after another, and the label of each that was answered."""

    def __init__(self, url: str, *, threads: int = 2, pause: float = 0.004, labels: bool = True) -> None:
        """Prepare; they run while the block does."""
        self.host = url.removeprefix("http://")
        self.pause, self.labels = pause, labels
        self.exchanges: list[Exchange] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(threads)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def failures(self, since: float = 0.0) -> list[Exchange]:
        """Return what was sent since then and got no good answer."""
        return [one for one in self.exchanges if one.sent >= since and one.error]

    def answers(self, since: float = 0.0, version: str = "") -> list[Exchange]:
        """Return the good answers to what was sent since then, of a version or of all."""
        return [one for one in self.exchanges if one.sent >= since and not one.error and version in ("", one.version)]

    def p95(self, since: float, end: float = math.inf) -> float:
        """Return the 95th percentile of how long answers took, in milliseconds."""
        return float(np.quantile([(one.done - one.sent) * 1000 for one in self.answers(since) if one.sent < end], 0.95))

    def _run(self, number: int) -> None:
        connection, due, chance = self._connect(), [], random.Random(number)
        while not self._stop.is_set():  # in no order: the judge takes blocks of requests for exchangeable
            row = {"amount": float(chance.randrange(37)), "hour": chance.randrange(24)}
            sent = time.monotonic()
            try:
                status, body = self._post(connection, f"/predict/{NAME}", row)
                answer = json.loads(body)
                good = status == 200 and math.isfinite(answer["predictions"][0]["probability"])
                note = Exchange(sent, time.monotonic(), status, answer.get("version", ""), "" if good else body.decode()[:300])
                due += [{"request_id": answer["request_id"], "label": truth(row)}] if good else []
                if self.labels and len(due) >= 40:
                    due, (status, body) = [], self._post(connection, f"/v2/models/{NAME}/feedback", {"labels": due})
                    self.exchanges += (
                        [] if status == 200 else [Exchange(sent, time.monotonic(), status, "", f"labels: {body.decode()[:300]}")]
                    )
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                note = Exchange(sent, time.monotonic(), 0, "", f"{type(error).__name__}: {error}")
                connection.close()
                connection = self._connect()
            self.exchanges.append(note)
            time.sleep(0.1 if note.error else self.pause)
        connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, timeout=30)

    def _post(self, connection: http.client.HTTPConnection, path: str, document: object) -> tuple[int, bytes]:
        connection.request("POST", path, json.dumps(document), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
