"""The gateway beside what is usual for this, measured: ``make bench ONLY=gateway``, which fails when its first line does not hold.

The same model package, the same rows, one machine, one worker each, wrk on the loopback address with 16 connections. Who is measured
shares the machine with wrk, so the figures compare servers and do not say what one would do alone. A machine's speed drifts by more than
what is looked for, so the verdict is on a duel: the gateway and the best of the others run side by side and are measured in turn. Answers
are held to `ModelPackage.predict` before anything is measured. ``QUICK=1`` measures 2 s a cell instead of 8.
"""

import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # as `ratchet serve` sets it; the others get it too, and gain by it

import numpy as np
import psutil

from scripts import bench_servers as servers
from scripts import bench_shadow
from scripts.bench_duel import duel, verdict
from scripts.bench_environments import install
from scripts.bench_load import CONNECTIONS, Figures, find_wrk, load
from scripts.bench_model import inference_body, payments, split_body, train

ROWS = (1, 32)
GATEWAY = "**`ratchet serve`**: features, routing, recording"
USUAL = ("`mlflow models serve`", "MLServer")
LIBRARIES = ("catboost", "mlflow", "polars", "starlette", "uvicorn")


@dataclass(frozen=True)
class Line:
    """A row of the table: who, how many rows a request, what came of it, and the server's processor time a request in microseconds."""

    who: str
    rows: int
    figures: Figures
    spent: float


@dataclass(frozen=True)
class Work:
    """What all contenders are given.

    Attributes:
        folder: For everything that the bench writes.
        champion: Package that answers.
        challenger: Package that is tried.
        bodies: File of bodies by form and rows a request.
        expected: For some of the bodies, by rows: each champion's and challenger's predictions.
    """

    folder: Path
    champion: object
    challenger: object
    bodies: dict
    expected: dict


def make_work(folder: Path, **size: int) -> Work:
    """Train the models, of a size that `train` takes, and write the bodies."""
    champion, challenger = (train(folder / f"model{seed}" / "model", seed, **size) for seed in (0, 1))
    frame = payments(2048, seed=7)
    bodies, expected = {}, {}
    for rows in ROWS:
        parts = [frame.slice(first, rows) for first in range(0, min(frame.height, 256 * rows), rows)]
        expected[rows] = [[package.predict(part) for package in (champion, challenger)] for part in parts]
        for form, write in (("infer", inference_body), ("split", split_body)):
            bodies[form, rows] = folder / f"{form}-{rows}.txt"
            bodies[form, rows].write_text("\n".join(map(write, parts)) + "\n", encoding="utf-8")
    return Work(folder, champion, challenger, bodies, expected)


def check_answers(server: servers.Server, work: Work, *, either: bool = False, count: int = 16) -> None:
    """Compare a server's answers with the package's own.

    Args:
        server: Who is asked.
        work: Whose bodies are sent.
        either: Whether the challenger may have answered, too.
        count: Bodies to send of each size.

    Raises:
        SystemExit: an answer differs by more than 1e-9.
    """
    for rows in ROWS:
        lines = work.bodies[server.form, rows].read_text(encoding="utf-8").splitlines()[:count]
        for place, body in enumerate(lines):
            made = np.array(servers.predictions_of(server.answer(body)))
            right = work.expected[rows][place][: 2 if either else 1]
            if not any(made.shape == one.shape and np.abs(made - one).max() <= 1e-9 for one in right):
                raise SystemExit(f"bench: {server.url} answers {made[:3]} to body {place} of {rows} rows; the package says {right[0][:3]}")


def measure(who: str, server: servers.Server, work: Work, wrk: str, seconds: int) -> list[Line]:
    """Measure a server with each size of request; a second of load warms it up."""
    lines = []
    for rows in ROWS:
        bodies = work.bodies[server.form, rows]
        load(wrk, server.url, bodies, 1)
        before = processor_seconds(server)
        figures = load(wrk, server.url, bodies, seconds)
        spent = processor_seconds(server) - before
        lines.append(Line(who, rows, figures, spent / max(figures.requests, 1) * 1e6))
        print(row(lines[-1]), flush=True)
    return lines


def processor_seconds(server: servers.Server) -> float:
    """Return the processor time of a server's processes until now."""
    parent = psutil.Process(server.process.pid)
    return sum(sum(one.cpu_times()[:2]) for one in (parent, *parent.children(recursive=True)))


def measure_gateway(work: Work, wrk: str, seconds: int) -> list[Line]:
    """Measure the gateway with a champion alone, with a challenger in shadow, and with one that answers half of the requests."""
    from ratchet.delivery.ledger import Ledger, ModelRef
    from ratchet.delivery.policy import Policy
    from ratchet.settings import Settings

    home = work.folder / "home"
    ledger = Ledger.open(Settings(home=home))
    first, second = (ModelRef(name, one.digest, str(one.path)) for name, one in (("1", work.champion), ("2", work.challenger)))
    ledger.promote("bench", first, generation=0, who="bench", why="to be measured")

    def generation() -> dict:
        return {"generation": ledger.deployment("bench").generation, "who": "bench", "why": "to be measured"}

    with servers.gateway(work.folder / "gateway", home) as server:
        check_answers(server, work)
        lines = measure(GATEWAY, server, work, wrk, seconds)
        for told, policy in (("a challenger in shadow", Policy(shadow=True)), ("one in canary at 50%", Policy(shadow=False, steps=(50,)))):
            ledger.begin("bench", second, policy, **generation())
            until_trial(server)
            check_answers(server, work, either=True)
            lines += measure(f"the same, and {told}", server, work, wrk, seconds)
            state = server.get("/v2/health/ready")["deployments"]["bench"]["companion"]
            counts = ", ".join(f"{state[name]:,} {name}" for name in ("requests", "errors", "skipped", "restarts"))
            print(f"<!-- companion: {counts} -->", flush=True)
            ledger.abort("bench", **generation())
            time.sleep(1)
    return lines


def until_trial(server: servers.Server) -> None:
    """Wait until the gateway's companion is ready."""
    for _ in range(600):
        state = server.get("/v2/health/ready")["deployments"]["bench"]["companion"] or {}
        if state.get("state") == "ready":
            return
        time.sleep(0.1)
    raise SystemExit(f"bench: the companion did not become ready: {state}")


def row(line: Line) -> str:
    """Return a row of the table."""
    figures = line.figures
    cells = [line.who, str(line.rows), f"{figures.rate:,.0f}", *(f"{value:.2f}" for value in (figures.p50, figures.p95, figures.p99))]
    failed = f" ({figures.failed} failed)" if figures.failed else ""
    return f"| {' | '.join(cells)} | {line.spent:,.0f} |{failed}"


def ratios(lines: list[Line]) -> list[str]:
    """Return the gateway against each other server, as rows of a table: how many times the requests, the P99, the processor time."""
    ours = {line.rows: line for line in lines if line.who == GATEWAY}
    made = ["| the gateway against | rows | requests/s | P99 | processors a request |", "|---|---|---|---|---|"]
    for line in lines:
        if line.who.startswith((*USUAL, "bound")):
            mine = ours[line.rows]
            p99, spent = mine.figures.p99 / line.figures.p99, mine.spent / line.spent
            made.append(f"| {line.who} | {line.rows} | {mine.figures.rate / line.figures.rate:.2f} × | {p99:.2f} × | {spent:.2f} × |")
    return made


def machine() -> str:
    """Return what the figures were measured on."""
    try:
        found = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        name = found[0].partition(":")[2].strip()
    except (OSError, IndexError):
        name = platform.processor() or platform.machine()
    libraries = ", ".join(f"{library} {version(library)}" for library in LIBRARIES)
    return f"{os.cpu_count()} cores of {name}, Python {platform.python_version()}, {libraries}; load before {os.getloadavg()[0]:.1f}"


def costs(work: Work, requests: int) -> float:
    """Print what the model costs by itself, and the parts of a request in the gateway.

    Returns:
        Microseconds of features and prediction for one of the largest requests where all connections' are put together: no server of this
        model takes less.
    """
    from scripts.bench_cost import gateway_parts, model_costs

    print("\n| in process, µs | features | prediction | a row |\n|---|---|---|---|")
    for rows in (*ROWS, CONNECTIONS * ROWS[-1]):
        features, prediction = model_costs(work.champion, payments(rows, seed=9))
        print(f"| a table of {rows} | {features:,.0f} | {prediction:,.0f} | {(features + prediction) / rows:,.0f} |")
    told = {
        rows: gateway_parts(work.folder / "home", "bench", work.bodies["infer", rows].read_text().splitlines(), requests) for rows in ROWS
    }
    print(f"\n| part of a request, µs of processor time | {' | '.join(f'{rows} row' + 's' * (rows > 1) for rows in ROWS)} |\n|---|---|---|")
    for part in sorted(told[1], key=told[1].__getitem__, reverse=True):
        print(f"| {part} | {' | '.join(f'{told[rows][part]:,.0f}' for rows in ROWS)} |")
    print(f"| all, without HTTP | {' | '.join(f'{sum(told[rows].values()):,.0f}' for rows in ROWS)} |", flush=True)
    return (features + prediction) / CONNECTIONS


def shadows(work: Work, capacity: float, seconds: float) -> bool:
    """Print what shadows cost clients at a steady rate, and return whether broken ones cost nothing.

    Args:
        work: With the challenger.
        capacity: Requests of one row that the gateway answers in a second.
        seconds: For each measurement.
    """
    from ratchet.delivery.ledger import Ledger, ModelRef
    from ratchet.settings import Settings

    home, rate = work.folder / "home", capacity * bench_shadow.SHARE
    healthy = ModelRef("2", work.challenger.digest, str(work.challenger.path))
    broken = bench_shadow.raising(work.folder / "raising", work.challenger)
    with servers.gateway(work.folder / "shadows", home) as server:
        challengers = {kind: broken if kind == bench_shadow.RAISES else healthy for kind in bench_shadow.KINDS}
        trials = bench_shadow.Trials(server, Ledger.open(Settings(home=home)), challengers)
        bodies = work.bodies["infer", 1].read_text(encoding="utf-8").splitlines()
        holds, rows = bench_shadow.table(bench_shadow.measure_shadows(trials, bodies, rate, seconds))
    wanted = (
        f"no errors, and P95 beside a broken one within {bench_shadow.WITHIN - 1:.0%} of no shadow: {'holds' if holds else 'does NOT hold'}"
    )
    print(f"\n{rate:,.0f} requests of one row a second, {bench_shadow.ROUNDS} rounds:\n\n" + "\n".join(rows) + f"\n\n{wanted}", flush=True)
    return holds


def contenders(work: Work, mlserver: bool) -> list[tuple[str, Callable[[], AbstractContextManager]]]:
    """Return whom the gateway is compared with, each by a name and what starts it."""
    package, folder = work.champion.path, work.folder
    made = [(USUAL[0], lambda: servers.mlflow(folder / "mlflow", package))]
    if mlserver:
        made += [
            (f"{USUAL[1]}, as it comes", lambda: servers.mlserver(folder / "mlserver1", package, workers=1)),
            (f"{USUAL[1]}, predicting in its HTTP process", lambda: servers.mlserver(folder / "mlserver0", package)),
            (f"{USUAL[1]}, the same with adaptive batching", lambda: servers.mlserver(folder / "mlserver2", package, batch=16)),
        ]
    made.append(("bound: Starlette and `predict`, nothing else", lambda: servers.bound(folder / "bare", package, "bare")))
    return made


def main() -> int:
    """Measure, print, and return 1 when the first line does not hold."""
    seconds = 2 if os.environ.get("QUICK", "") not in ("", "0") else 8
    wrk, excuse = find_wrk(), install("mlserver")
    begun, busy = time.monotonic(), os.getloadavg()[0]
    print(f"{machine()}; {CONNECTIONS} connections, {seconds} s a cell\n")
    with tempfile.TemporaryDirectory(prefix="ratchet-bench-") as name:
        work = make_work(Path(name))
        print(
            "| server | rows | requests/s | P50 ms | P95 ms | P99 ms | its processors, µs a request |\n|---|---|---|---|---|---|---|",
            flush=True,
        )
        lines = measure_gateway(work, wrk, seconds)
        rivals = contenders(work, not excuse)
        for who, start in rivals:
            with start() as server:
                check_answers(server, work)
                lines += measure(who, server, work, wrk, seconds)
        with servers.bound(work.folder / "echo", work.champion.path, "echo") as server:
            lines += measure("bound: Starlette, an echo", server, work, wrk, seconds)
        least = costs(work, 200 * seconds)
        usual = min(line.spent for line in lines if line.rows == ROWS[-1] and line.who.startswith(USUAL))
        print(f"\n{ROWS[-1]} rows: features and model alone {least:,.0f} µs a request, a third of the best of the others {usual / 3:,.0f}")
        print("\n" + "\n".join(ratios(lines)) + "\n", flush=True)
        holds = shadows(work, lines[0].figures.rate, seconds / 2) and not excuse
        print(f"MLServer could not be installed: {excuse}" if excuse else "", end="\n")
        best = max((line for line in lines if line.rows == 1 and line.who.startswith(USUAL)), key=lambda line: line.figures.rate).who
        for workers in (1, os.cpu_count() or 1):
            with servers.gateway(work.folder / f"duel{workers}", work.folder / "home", workers) as ours, dict(rivals)[best]() as other:
                for rows in ROWS:
                    rounds = duel(wrk, ours, other, {one.form: work.bodies[one.form, rows] for one in (ours, other)}, max(2, seconds // 2))
                    ahead, told = verdict(rounds, best)
                    holds = holds and (ahead or (workers, rows) != (1, 1))
                    print(f"{workers} worker{'s'[: workers - 1]}, {rows} row{'s'[: rows - 1]}: {told}", flush=True)
    if busy > (os.cpu_count() or 1):
        print(f"the machine was busy before (load {busy:.1f}): who was measured beside what is chance; run this again on an idle one")
    print(f"{time.monotonic() - begun:.0f} s")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
