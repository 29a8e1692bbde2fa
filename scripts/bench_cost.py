"""Where the time goes, for ``make bench``: the model by itself, and the parts of a request inside the gateway's application.

A profiler that looks at every call makes small Python functions look dear beside one long call into polars or CatBoost. Here a stopwatch is
put around the dozen functions that a request passes, each is charged the processor time of its own thread without what is timed
inside it, and the rest (event loop, batcher, the way to the model's thread and back) is what is left of the process's time.
"""

import asyncio
import inspect
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from ratchet.models.package import ModelPackage

CLIENTS = 16
REST = "event loop, batcher, threads"


class Stopwatch:
    """Charges processor time to named parts.

    Attributes:
        seconds: By part.
    """

    def __init__(self) -> None:
        """Begin at zero."""
        self.seconds: Counter[str] = Counter()
        self._open = threading.local()

    def around(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, charged to a part; a coroutine function must not wait for another task."""

        def begin() -> list[float]:
            stack = self._open.__dict__.setdefault("stack", [])
            stack.append([time.thread_time(), 0.0])
            return stack

        def end(stack: list[Any]) -> None:
            begun, inside = stack.pop()
            spent = time.thread_time() - begun
            self.seconds[part] += spent - inside
            if stack:
                stack[-1][1] += spent

        async def awaited(*arguments: Any, **named: Any) -> Any:
            stack = begin()
            try:
                return await function(*arguments, **named)
            finally:
                end(stack)

        def called(*arguments: Any, **named: Any) -> Any:
            stack = begin()
            try:
                return function(*arguments, **named)
            finally:
                end(stack)

        return awaited if inspect.iscoroutinefunction(function) else called


@contextmanager
def timed(watch: Stopwatch) -> Iterator[None]:
    """Put a stopwatch around the parts of a request while the block runs."""
    from ratchet.features.spec import FeatureSpec
    from ratchet.models.boosting import CatBoostNative
    from ratchet.serving import inference, scoring
    from ratchet.serving.metrics import GatewayMetrics
    from ratchet.serving.protocol import ModelInterface
    from ratchet.serving.recording import Recording
    from ratchet.traffic.recorder import Recorder

    places: list[tuple[str, Any, str]] = [
        ("parse and check the body", inference, "read"),
        ("one table of a batch", scoring, "frame_of"),
        ("features", FeatureSpec, "matrix"),
        ("model", CatBoostNative, "predict"),
        ("record", Recording, "of_champion"),
        ("record", Recorder, "record"),
        ("write the answer", ModelInterface, "infer_answer"),
        ("write the answer", inference, "send_json"),
        ("metrics", GatewayMetrics, "answered"),
    ]
    kept = [(owner, name, getattr(owner, name)) for _, owner, name in places]
    for (part, owner, name), (_, _, function) in zip(places, kept, strict=True):
        setattr(owner, name, watch.around(part, function))
    try:
        yield
    finally:
        for owner, name, function in kept:
            setattr(owner, name, function)


def gateway_parts(home: Path, name: str, bodies: list[str], requests: int) -> dict[str, float]:
    """Return microseconds of processor time a request by part, 16 clients at a time asking the application in this process."""
    from ratchet.serving.options import GatewayOptions
    from ratchet.serving.server import build_gateway
    from ratchet.settings import Settings

    app = build_gateway(Settings(home=home), GatewayOptions())
    watch = Stopwatch()
    encoded = [body.encode() for body in bodies]

    async def client(count: int) -> None:
        for place in range(count):
            await _ask(app, name, encoded[place % len(encoded)])

    async def run() -> float:
        async with app.router.router.lifespan_context(app.router):
            await client(50)
            with timed(watch):
                begun = time.process_time()
                await asyncio.gather(*(client(requests // CLIENTS) for _ in range(CLIENTS)))
                return time.process_time() - begun

    total, asked = asyncio.run(run()), requests // CLIENTS * CLIENTS
    parts = {part: seconds / asked * 1e6 for part, seconds in watch.seconds.items()}
    return {**parts, REST: total / asked * 1e6 - sum(parts.values())}


def model_costs(package: ModelPackage, frame: pl.DataFrame, repeats: int = 300) -> tuple[float, float]:
    """Return microseconds (medians) of the features and of the prediction of a table's rows, all at once, of canonical types."""
    matrix = package.spec.matrix(frame, checked=True)
    return _median(lambda: package.spec.matrix(frame, checked=True), repeats), _median(lambda: package.native.predict(matrix), repeats)


def _median(call: Callable[[], Any], repeats: int) -> float:
    taken = []
    for _ in range(repeats):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1e6


async def _ask(app: Any, name: str, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    path = f"/v2/models/{name}/infer"
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        if message.get("status", 200) != 200:
            raise RuntimeError(f"the gateway answered {message['status']}")

    await app(scope, receive, send)
