"""What a shadow costs the clients, healthy or not, for ``make bench``: requests at a steady rate, beside no shadow and beside each kind.

A load that fills the machine cannot show it: two cores have no room for a second model then, whoever waits for it. So requests come at a
third of what the gateway can answer, on time whether or not those before them are answered, and each is timed from when it was due. On a
shared machine the P95 of nothing at all moves by a third within a minute, so each shadow is measured between two halves of a measurement
without one, and compared with these two; for some rounds. A gateway takes a challenger that fails out by itself within seconds; what is
measured begins with the harm.
"""

import asyncio
import os
import shutil
import signal
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import polars as pl
import psutil

from ratchet.delivery.ledger import Ledger, ModelRef
from ratchet.models.package import ModelPackage
from scripts.bench_load import CONNECTIONS
from scripts.bench_model import payments
from scripts.bench_servers import Server

HEALTHY, HANGS, RAISES, CRASHES = "a healthy one", "one that hangs", "one that raises", "one that crashes (SIGSEGV)"
BROKEN = (HANGS, RAISES, CRASHES)
KINDS = (HEALTHY, *BROKEN)
SHARE = 1 / 3
ROUNDS = 12
WITHIN = 1.05  # of a broken one; a healthy one does work of its own, and on two cores somebody has to wait for that


@dataclass
class Seen:
    """What the clients saw.

    Attributes:
        milliseconds: Of each answered request, from when it was due.
        failed: Requests without an answer of status 200.
    """

    milliseconds: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def p95(self) -> float:
        """Milliseconds."""
        return float(np.quantile(self.milliseconds, 0.95))

    def __add__(self, other: "Seen") -> "Seen":
        return Seen(self.milliseconds + other.milliseconds, self.failed + other.failed)


@dataclass(frozen=True)
class Round:
    """What the clients saw without a shadow, before and after, and beside one."""

    alone: Seen
    beside: Seen

    @property
    def failed(self) -> int:
        """Requests without an answer, before, beside and after: a rollout that ends must cost nobody anything, either."""
        return self.alone.failed + self.beside.failed

    @property
    def ratio(self) -> float:
        """P95 beside the shadow over that without one."""
        return self.beside.p95 / self.alone.p95


async def ask_steadily(url: str, bodies: list[str], rate: float, seconds: float) -> Seen:
    """Post bodies in turn, so many a second, whether or not those before are answered.

    Args:
        url: Where to.
        bodies: Each on one line.
        rate: Requests a second.
        seconds: How long.
    """
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\nContent-Length: "
    requests = [f"{head}{len(body)}\r\n\r\n{body}".encode() for body in bodies]
    due: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
    seen, loop = Seen(), asyncio.get_running_loop()

    async def client() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        while (one := await due.get()) is not None:
            try:
                writer.write(one[1])
                header = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(header.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]))
                seen.failed += not header.startswith(b"HTTP/1.1 200")
                seen.milliseconds.append((loop.time() - one[0]) * 1000)
            except (OSError, EOFError, ValueError):
                seen.failed += 1
                writer.close()
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.close()

    clients = [loop.create_task(client()) for _ in range(CONNECTIONS)]
    begun = loop.time()
    for number in range(int(rate * seconds)):
        moment = begun + number / rate
        if (ahead := moment - loop.time()) > 0:
            await asyncio.sleep(ahead)
        due.put_nowait((moment, requests[number % len(requests)]))
    for _ in clients:
        due.put_nowait(None)
    await asyncio.gather(*clients)
    return seen


def raising(folder: Path, package: ModelPackage) -> ModelRef:
    """Return the reference of a package whose model wants a column more than the package says, so that each prediction raises."""
    from catboost import CatBoost

    from ratchet.models.boosting import CatBoostNative, pool
    from ratchet.models.manifest import write_manifest
    from ratchet.models.package import package_digest

    shutil.copytree(package.path, folder)
    labels = np.arange(200.0) % 2
    matrix = package.spec.matrix(payments(200, seed=5)).with_columns(more=pl.Series(labels))  # which its trees therefore ask for
    model = CatBoost({"loss_function": "Logloss", "iterations": 2, "allow_writing_files": False, "verbose": False})
    CatBoostNative(model.fit(pool(matrix, labels)), "binary").write(folder)
    write_manifest(folder, None)
    return ModelRef("3", package_digest(folder, "catboost"), str(folder))


class Trials:
    """Begins a rollout of each kind, does its harm, and ends it."""

    def __init__(self, server: Server, ledger: Ledger, challengers: Mapping[str, ModelRef]) -> None:
        """Try these challengers, by kind, in a ledger and at the gateway that follows it."""
        self.server = server
        self.ledger = ledger
        self.challengers = challengers

    def begin(self, kind: str) -> None:
        """Begin a rollout and wait until its challenger is loaded."""
        from ratchet.delivery.policy import Policy

        generation = self.ledger.deployment("bench").generation
        policy = Policy(shadow=True)
        self.ledger.begin("bench", self.challengers[kind], policy, generation=generation, who="bench", why="to be measured")
        until = time.monotonic() + 60
        while self._state() != "ready":
            if time.monotonic() > until:
                raise SystemExit(f"bench: {kind} did not become ready: {self._state()}")
            time.sleep(0.05)

    def harm(self, kind: str) -> None:
        """Hang or crash the children that are there."""
        for child in self.children() if kind in (HANGS, CRASHES) else ():
            os.kill(child, signal.SIGSTOP if kind == HANGS else signal.SIGSEGV)

    def end(self) -> bool:
        """End the rollout; return whether the gateway had done so by itself."""
        state = self.ledger.deployment("bench")
        if state.challenger is not None:
            self.ledger.abort("bench", generation=state.generation, who="bench", why="was measured")
        while self.children():
            time.sleep(0.05)
        return state.challenger is None

    def children(self) -> list[int]:
        """Return the process ids of the gateway's companions."""
        found = psutil.Process(self.server.process.pid).children(recursive=True)
        return [one.pid for one in found if one.is_running() and "ratchet.serving.child" in _command(one)]

    def _state(self) -> str:
        told = self.server.get("/v2/health/ready")["deployments"]["bench"]["companion"] or {}
        return str(told.get("state"))


def measure_shadows(trials: Trials, bodies: list[str], rate: float, seconds: float, rounds: int = ROUNDS) -> dict[str, list[Round]]:
    """Return what the clients saw beside each kind of shadow, a round at a time, and without one just before and after."""

    def ask(share: float) -> Seen:
        return asyncio.run(ask_steadily(trials.server.url, bodies, rate, seconds * share))

    seen: dict[str, list[Round]] = {kind: [] for kind in KINDS}
    for _ in range(rounds):
        for kind in KINDS:
            before = ask(0.5)
            trials.begin(kind)
            if kind != RAISES:  # which does its harm as soon as it is asked
                ask(0.1)
            trials.harm(kind)
            beside = ask(1)
            trials.end()
            time.sleep(0.5)  # the kernel clears away what the child had: a baseline that paid for it would flatter the shadow
            seen[kind].append(Round(before + ask(0.5), beside))
    return seen


def table(seen: dict[str, list[Round]]) -> tuple[bool, list[str]]:
    """Return whether no shadow costs a client an answer, nor a broken one 5% of the P95; and the rows of a table that says so.

    The median of the rounds' ratios counts.
    """
    made = ["| shadow | requests | errors | P95 ms | without it | ratio (range) |", "|---|---|---|---|---|---|"]
    holds = True
    for kind, rounds in seen.items():
        ratios = sorted(one.ratio for one in rounds)
        ratio, failed = statistics.median(ratios), sum(one.failed for one in rounds)
        holds = holds and not failed and (kind not in BROKEN or ratio <= WITHIN)
        answered = sum(len(one.beside.milliseconds) for one in rounds)
        beside, alone = (statistics.median(p95) for p95 in zip(*((one.beside.p95, one.alone.p95) for one in rounds), strict=True))
        told = f"{ratio:.2f} × ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        made.append(f"| {kind} | {answered:,} | {failed} | {beside:.2f} | {alone:.2f} | {told} |")
    return holds, made


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
