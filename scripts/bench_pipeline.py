"""The whole pipeline beside a plain script, ZenML and Metaflow, measured: a part of ``make bench``.

What a run costs is told step by step: wall and processor seconds, how much of these is imports, and the peak of memory. It is held against
`bench_plain`, one process that makes the same model of the same rows. Then, in three frameworks, a pipeline that does nothing and a small
real one, so that what the framework itself costs can be read. Rounds alternate; of each the best is shown, because a shared machine only
ever adds. Processor seconds are the steadier figure. ``QUICK=1`` measures one round and leaves fraud_handbook out.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.bench_frameworks import Framework, frameworks
from scripts.bench_machine import machine
from scripts.bench_meter import Measured, Process, measured

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
CONFIGS = ROOT / "pipelines" / "delivery" / "configs"
LIBRARIES = ("kfp", "catboost", "polars", "pandas", "mlflow")
GIB = 1024.0
HEAD = ("framework", "pipeline", "steps", "seconds", "processor", "processor a step", "peak MiB")
HEAVY = ("features", "train_boosting")  # the steps that may take more than 1 GiB


@dataclass(frozen=True)
class Contest:
    """A run of the pipeline and the script that it is held against.

    Attributes:
        name: Of the configuration, and of what `bench_plain` is told.
        file: Beside the checkout.
        given: What is set beside the configuration.
        told: The reach in words.
        reach: The most seconds that the pipeline may take, of the plain script's.
        rounds: How often it is measured at most.
    """

    name: str
    file: str
    given: Mapping[str, str]
    told: str
    reach: Callable[[float], float]
    rounds: int = 3


CONTESTS = (
    Contest("elec2", "elec2/electricity-normalized.csv", {}, "plain + 20 s", lambda plain: plain + 20),
    Contest(
        "fraud_handbook",
        "fraud_handbook/transactions.parquet",
        {"until": "2018-08-15", "train_from": "2018-04-03"},
        "1.4 × plain",
        lambda plain: 1.4 * plain,
        rounds=1,
    ),
)


def run_pipeline(contest: Contest, folder: Path, pipeline: str = "delivery") -> Measured:
    """Run ``ratchet submit`` in a fresh home and return what it cost.

    Raises:
        SystemExit: the run did not end well.
    """
    given = {"source": str(DATA / contest.file), **contest.given}
    parameters = [part for name, value in given.items() for part in ("-p", f"{name}={value}")]
    command = [sys.executable, "-m", "ratchet.cli.main", "submit", pipeline, "--config", str(CONFIGS / f"{contest.name}.yaml"), *parameters]
    done = measured(command, folder=folder, variables=installation(folder / "home"))
    if done.status:
        raise SystemExit(f"bench: delivery on {contest.name} ended with {done.status}:\n{done.output[-3000:]}")
    return done


def run_plain(contest: Contest, folder: Path) -> Measured:
    """Run the plain script and return what it cost.

    Raises:
        SystemExit: it failed.
    """
    command = [sys.executable, "-m", "scripts.bench_plain", contest.name, str(DATA / contest.file), "."]
    done = measured(command, folder=folder, variables={"PYTHONPATH": str(ROOT)})
    if done.status:
        raise SystemExit(f"bench: the plain script on {contest.name} ended with {done.status}:\n{done.output[-3000:]}")
    return done


def installation(home: Path) -> dict[str, str]:
    """Return the variables of a fresh installation; those of the shell's own are emptied, so that nothing is promoted into it."""
    emptied = {name: "" for name in os.environ if name.startswith("RATCHET_")}
    return {**emptied, "RATCHET_HOME": str(home), "PYTHONPATH": str(ROOT)}


def step_name(process: Process) -> str:
    """Return what a process of a run is, as the table calls it."""
    step = process.argument("--function_to_execute")
    if step:
        return step
    if "ratchet.submit.runner" in process.arguments:
        return "kfp.local, which runs the steps"
    return "the command" if "ratchet.cli.main" in process.arguments else " ".join(process.arguments[-2:])


def steps_of(done: Measured) -> list[tuple[str, list[Process]]]:
    """Return the processes of a run by step, each with what it started, in the order in which they began."""
    inside = {process.identity for process in done.processes if process.argument("--function_to_execute")}
    roots = [process for process in done.processes if process.parent not in inside]
    named = [(step_name(process), done.family(process) if process.identity in inside else [process]) for process in roots]
    return sorted(named, key=lambda item: not item[1][0].argument("--function_to_execute"))


def table(done: Measured) -> list[str]:
    """Return what each step of a run cost, as rows of a table."""
    rows = ["| step | seconds | processor | of it imports | most imported | peak MiB |", "|---|---|---|---|---|---|"]
    counted = 0.0
    for name, family in steps_of(done):
        spent, imports = sum(one.spent for one in family), sum(one.importing for one in family)
        packages = sorted(((took, package) for one in family for package, took in one.packages.items()), reverse=True)[:3]
        most = ", ".join(f"{package} {took:.2f}" for took, package in packages)
        peak = max(one.peak for one in family)
        rows.append(f"| {name} | {family[0].seconds:.2f} | {spent:.2f} | {imports:.2f} | {most} | {peak:,.0f} |")
        counted += spent
    rows.append(f"| ends of processes, shells | | {done.spent - counted:.2f} | | | |")
    rows.append(f"| **all** | **{done.seconds:.1f}** | **{done.spent:.1f}** | | | {done.peak:,.0f} |")
    return rows


def too_large(done: Measured) -> list[str]:
    """Return the steps above 1 GiB that should not be."""
    return [name for name, family in steps_of(done) if name not in HEAVY and max(one.peak for one in family) > GIB]


def hold(contest: Contest, folder: Path, rounds: int) -> bool:
    """Measure a contest, print it, and return whether its reach holds."""
    ours, plain = [], []
    for number in range(rounds):
        plain.append(run_plain(contest, folder / f"plain{number}"))
        ours.append(run_pipeline(contest, folder / f"ours{number}"))
    best, other = (min(found, key=lambda done: done.seconds) for found in (ours, plain))
    spent, plainly = (min(done.spent for done in found) for found in (ours, plain))
    within, light = best.seconds <= contest.reach(other.seconds), not too_large(best)
    print(f"\n### {contest.name}, best of {rounds}\n")
    print("\n".join(table(best)))
    print(f"\nplain script: {other.seconds:.1f} s, {plainly:.1f} s of processor time, {other.peak:,.0f} MiB: {other.output.strip()[-400:]}")
    reach = f"{contest.told} = {contest.reach(other.seconds):.1f} s {'holds' if within else 'DOES NOT HOLD'}"
    print(
        f"pipeline: {best.seconds:.1f} s ({best.seconds - other.seconds:+.1f} s, {best.seconds / other.seconds:.2f} ×): {reach}; ", end=""
    )
    print(f"{spent:.1f} s of processor time ({spent - plainly:+.1f} s, {spent / plainly:.2f} ×)")
    print(f"above 1 GiB beside {' and '.join(HEAVY)}: {', '.join(too_large(best)) or 'none'}", flush=True)
    return within and light


def beside(framework: Framework, folder: Path, rounds: int) -> list[str]:
    """Measure a framework on its two pipelines; return its rows of the table. The first run of each makes stores and does not count."""
    excuse = framework.prepare(folder)
    if excuse:
        return [f"| {framework.name} | could not be installed: {' '.join(excuse.split())[-200:]} | | | | | |"]
    rows = []
    for work, steps in framework.steps.items():
        tried = [framework.run(work, folder) for _ in range(rounds + 1)][1:]
        best, spent = min(tried, key=lambda done: done.seconds), min(done.spent for done in tried)
        cells = [framework.name, work, str(steps), f"{best.seconds:.2f}", f"{spent:.2f}", f"{spent / steps:.2f}", f"{best.peak:,.0f}"]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def main() -> int:
    """Measure, print, and return 1 when a reach does not hold."""
    quick = os.environ.get("QUICK", "") not in ("", "0")
    rounds, busy = 1 if quick else 3, os.getloadavg()[0]
    print(f"{machine(LIBRARIES)}\n")
    with tempfile.TemporaryDirectory(prefix="ratchet-bench-") as name:
        folder = Path(name)
        holds = [hold(contest, folder / contest.name, min(rounds, contest.rounds)) for contest in CONTESTS[: 1 if quick else 2]]
        print(f"\n| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
        for number, framework in enumerate(frameworks()):
            print("\n".join(beside(framework, folder / f"framework{number}", rounds)), flush=True)
    if busy > (os.cpu_count() or 1):
        print(f"\nthe machine was busy before (load {busy:.1f}): seconds are chance; run this again on an idle one")
    return 0 if all(holds) else 1


if __name__ == "__main__":
    sys.exit(main())
