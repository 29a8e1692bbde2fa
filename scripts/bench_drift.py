"""Drift between two tables, beside what a user would take for it: 35 columns a side, each contender in a process of its own.

All read the same two Datasets (22 columns of floats, one of them with missing values, 8 of integers, 4 of texts, a boolean; the same from
the same seed; one column moved by 0.3 of its spread). Ours makes every statistic of every column; NannyML and scipy make the
Kolmogorov–Smirnov statistic of the 30 columns of numbers and nothing else; Evidently makes what its preset makes. D is compared with
scipy's before anything is printed.

    .venv/bin/python -m scripts.bench_drift                # a million rows a side; Evidently on a tenth of them
    FULL=1 .venv/bin/python -m scripts.bench_drift         # Evidently on all of them, too (minutes)
    ROWS=10000000 .venv/bin/python -m scripts.bench_drift  # ten million: a bare scan and ours
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

ROWS = int(os.environ.get("ROWS", "1000000"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
FULL = os.environ.get("FULL", "") not in ("", "0")
BLOCK = 250_000
SIDES = ("reference", "current")
NUMBERS = 30
Distances = dict[str, float]


def blocks(side: str, rows: int) -> "Iterator[pl.DataFrame]":
    """Make a table, a part at a time."""
    import numpy as np
    import polars as pl

    for start in range(0, rows, BLOCK):
        rng = np.random.default_rng([SIDES.index(side), start])
        n = min(BLOCK, rows - start)
        made: dict[str, object] = {}
        for place in range(22):
            made[f"number_{place:02}"] = rng.lognormal(6, place / 10, n) if place % 2 else rng.normal(place, 1 + place, n)
        made["number_00"] = rng.normal(0.3 * SIDES.index(side), 1, n)
        made["number_02"] = pl.Series(made["number_02"]).zip_with(pl.Series(rng.random(n) < 0.95), pl.Series([None], dtype=pl.Float64))
        made |= {f"whole_{place}": rng.integers(0, 3 * 10 ** (place // 2 + 1), n) for place in range(8)}
        for place, size in enumerate((3, 12, 300, 20_000)):
            made[f"text_{place}"] = pl.Series(rng.integers(0, size, n)).cast(pl.String).str.pad_start(9, "k")
        made["flag"] = rng.random(n) < 0.3
        yield pl.DataFrame(made)


def write(folder: Path, rows: int) -> None:
    """Write both tables."""
    from ratchet.data.tables import write_dataset

    for side in SIDES:
        write_dataset(blocks(side, rows), folder / side, source="bench")


def scan(folder: Path) -> Distances:
    """Read every column of both tables, one at a time, and drop it: what no contender can do without."""
    import polars as pl

    for side in SIDES:
        parts = sorted((folder / side).glob("*.parquet"))
        for name in pl.scan_parquet(parts[0]).collect_schema():
            for part in parts:
                pl.scan_parquet(part).select(name).collect()
    return {}


def ours(folder: Path) -> Distances:
    """`compare_tables`, which is what the step calls."""
    from ratchet.drift import compare_tables

    result = compare_tables(*(folder / side for side in SIDES))
    return {column.name: column.statistics["ks"] for column in result.columns if column.kind == "number"}


def ours_with_report(folder: Path) -> Distances:
    """The same, and the page that a person reads."""
    from ratchet.drift import compare_tables

    result = compare_tables(*(folder / side for side in SIDES))
    result.write_html(folder / "report.html")
    return {}


def scipy_ks(folder: Path) -> Distances:
    """`scipy.stats.ks_2samp` of each column of numbers."""
    import polars as pl
    from scipy.stats import ks_2samp

    first, second = (pl.scan_parquet(folder / side) for side in SIDES)
    found = {}
    for name, dtype in first.collect_schema().items():
        if dtype.is_numeric():
            sides = [side.select(name).collect()[name].drop_nulls().to_numpy() for side in (first, second)]
            found[name] = float(ks_2samp(*sides, method="asymp").statistic)
    return found


def nannyml_ks(folder: Path) -> Distances:
    """NannyML's univariate drift by Kolmogorov–Smirnov, all of the current table as one chunk."""
    import nannyml
    import pandas as pd

    reference, current = (pd.read_parquet(folder / side) for side in SIDES)
    names = [name for name in reference.columns if reference[name].dtype.kind in "if"]
    calculator = nannyml.UnivariateDriftCalculator(column_names=names, continuous_methods=["kolmogorov_smirnov"], chunk_number=1)
    found = calculator.fit(reference).calculate(current).filter(period="analysis").to_df()
    return {name: float(found[name, "kolmogorov_smirnov", "value"].iloc[0]) for name in names}


def evidently_preset(folder: Path) -> Distances:
    """Evidently's `DataDriftPreset` as it comes, on the first rows that the file ``rows`` beside the tables says."""
    import pandas as pd
    from evidently import Report
    from evidently.presets import DataDriftPreset

    rows = int((folder / "rows").read_text())
    reference, current = (pd.read_parquet(folder / side).head(rows) for side in SIDES)
    Report([DataDriftPreset()]).run(current, reference).json()
    return {}


CONTENDERS: Mapping[str, Callable[[Path], Distances]] = {
    "a bare scan of both tables": scan,
    "**`compare_tables`**, every statistic": ours,
    "the same, and its page": ours_with_report,
    "scipy `ks_2samp`, numbers only": scipy_ks,
    "NannyML 0.13.1, KS, numbers only": nannyml_ks,
    "Evidently, default preset": evidently_preset,
}


def measured(who: str, folder: Path, python: str = sys.executable) -> tuple[dict[str, float], Distances]:
    """Let a contender work in a process of its own.

    Returns:
        Seconds of its work (imports included) and of the whole process, processor seconds, peak memory in MB; and what D it found.
    """
    command = [python, "-W", "ignore", "-m", "scripts.bench_drift", who, str(folder)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1"})
    assert process.stdout is not None
    with process.stdout as stream:
        printed = stream.read()
    _, status, used = os.wait4(process.pid, 0)
    whole = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"bench: {who} ended with status {process.returncode}")
    told = json.loads(printed.splitlines()[-1])
    figures = {"work": told["seconds"], "whole": whole, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}
    return figures, told["distances"]


def one(who: str, folder: Path) -> None:
    """Let one contender work, and print what came of it."""
    began = time.perf_counter()
    distances = CONTENDERS[who](folder)
    print(json.dumps({"seconds": time.perf_counter() - began, "distances": distances}))


def farthest(first: Distances, second: Distances) -> float:
    """Return by how much two contenders' D differ at most.

    >>> farthest({"a": 0.5, "b": 0.25}, {"a": 0.5, "b": 0.125})
    0.125
    """
    return max(abs(first[name] - second[name]) for name in first)


def row(who: str, rounds: list[dict[str, float]], rows: int) -> str:
    """Return a contender's best figures as a row of the table."""
    best = {name: min(found[name] for found in rounds) for name in rounds[0]}
    return f"| {who} | {rows:,} | {best['work']:.2f} | {best['whole']:.2f} | {best['cpu']:.2f} | {best['peak']:,.0f} |"


def contenders() -> dict[str, tuple[str, int]]:
    """Return who takes part: the Python that each runs in, and on how many rows."""
    from scripts.bench_environments import environment_of, install

    names = list(CONTENDERS)
    chosen = dict.fromkeys(names[:3] if ROWS > 1_000_000 else names, (sys.executable, ROWS))
    if names[4] in chosen:
        excuse = install("nannyml")
        chosen[names[4]] = (str(environment_of("nannyml") / "bin" / "python"), ROWS)
        if excuse:
            print(f"NannyML could not be installed: {excuse}")
            del chosen[names[4]]
    if names[5] in chosen and not FULL:
        chosen[names[5]] = (sys.executable, min(ROWS, 100_000))
    return chosen


def main() -> int:
    """Print the table; return 1 where D is not scipy's."""
    from scripts.bench_machine import machine

    chosen = contenders()
    print(f"{ROWS:,} rows × 35 columns a side, best of {ROUNDS}; {machine(('polars', 'numpy', 'scipy', 'evidently', 'pandas'))}\n")
    found: dict[str, Distances] = {}
    with tempfile.TemporaryDirectory(prefix="ratchet-bench-", dir=os.environ.get("BENCH_DIR")) as name:
        folder = Path(name)
        # In a child: the peak that is reported of a process begins with its parent's.
        subprocess.run([sys.executable, "-m", "scripts.bench_drift", "write", name], check=True)
        (folder / "rows").write_text(str(chosen.get("Evidently, default preset", ("", 0))[1]))
        rounds: dict[str, list[dict[str, float]]] = {who: [] for who in chosen}
        for number in range(ROUNDS):
            for who, (python, _) in chosen.items():
                if number == 0 or "Evidently" not in who:
                    figures, found[who] = measured(who, folder, python)
                    rounds[who].append(figures)
    print("| | rows a side | its work, s | the process, s | processors, s | peak MB |\n|---|---|---|---|---|---|")
    for who, (_, rows) in chosen.items():
        print(row(who, rounds[who], rows))
    exact = {who: distances for who, distances in found.items() if distances}
    mine, *others = exact
    for who in others:
        print(f"\nD of {NUMBERS} columns, largest difference between {mine} and {who}: {farthest(exact[mine], exact[who]):.1e}")
    theirs = exact.get("scipy `ks_2samp`, numbers only", exact[mine])
    return 0 if len(exact[mine]) == NUMBERS and farthest(exact[mine], theirs) <= 1e-12 else 1


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(main())
    write(Path(sys.argv[2]), ROWS) if sys.argv[1] == "write" else one(sys.argv[1], Path(sys.argv[2]))
