"""The door beside what a user would pick instead: a bank's table as CSV, read, checked and kept as Parquet.

One run makes the file (35 columns: 20 numbers, 8 integers, 5 categories, a date, a boolean; the same bytes from the same seed) and lets
each contender work on it in a process of its own: pandas, DuckDB and polars turn the CSV into Parquet and do no more than that; `ingest`
also counts fields, agrees on types over all rows and digests every value; `validate` infers a schema and holds every row against it.

    .venv/bin/python -m scripts.bench_door               # 1 M rows
    ROWS=10000000 .venv/bin/python -m scripts.bench_door # ours alone, for flatness
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROWS = int(os.environ.get("ROWS", "1000000"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
BLOCK = 100_000
SEED = 7


def write_table(path: Path, rows: int) -> None:
    """Write the table; block by block, so that ten million rows need no more memory than one."""
    import numpy as np
    import polars as pl

    with path.open("wb") as file:
        for start in range(0, rows, BLOCK):
            rng = np.random.default_rng([SEED, start])
            n = min(BLOCK, rows - start)
            columns: dict[str, object] = {"account": np.arange(start, start + n) * 7 + 1_000_000}
            columns |= {f"balance_{place}": rng.lognormal(6, 1, n) for place in range(10)}
            columns |= {f"ratio_{place}": rng.normal(0, 1, n) for place in range(10)}
            columns |= {f"count_{place}": rng.integers(0, 10 ** (1 + place % 4), n) for place in range(7)}
            for place, size in enumerate((2, 4, 8, 20, 40)):
                columns[f"kind_{place}"] = rng.choice([f"{chr(97 + place)}{name}" for name in range(size)], n)
            seconds = np.datetime64("2024-01-01", "s") + (start + np.arange(n)) * 3
            columns["opened"] = seconds.astype("datetime64[D]").astype(str)
            columns["active"] = np.where(rng.random(n) < 0.8, "true", "false")
            file.write(pl.DataFrame(columns).write_csv(include_header=start == 0).encode())


def pandas_default(source: Path, folder: Path) -> None:
    import pandas as pd

    pd.read_csv(source).to_parquet(folder / "out.parquet")


def pandas_pyarrow(source: Path, folder: Path) -> None:
    import pandas as pd

    pd.read_csv(source, engine="pyarrow").to_parquet(folder / "out.parquet")


def duckdb_copy(source: Path, folder: Path) -> None:
    import duckdb

    duckdb.read_csv(str(source)).write_parquet(str(folder / "out.parquet"))


def polars_sink(source: Path, folder: Path) -> None:
    import polars as pl

    pl.scan_csv(source).sink_parquet(folder / "out.parquet")


def our_ingest(source: Path, folder: Path) -> None:
    from ratchet.sources.ingestion import ingest

    ingest(source, folder / "data")


def our_validate(source: Path, folder: Path) -> None:
    from ratchet.data.quality import validate

    outputs = {f"{name}_path": folder / name for name in ("clean", "quarantine", "schema", "report")}
    result = validate(folder / "data", **outputs)
    assert result.verdict == "valid", result.reason


CONTENDERS: dict[str, Callable[[Path, Path], None]] = {
    "pandas read_csv + to_parquet": pandas_default,
    "pandas read_csv(engine=pyarrow) + to_parquet": pandas_pyarrow,
    "DuckDB read_csv, COPY TO": duckdb_copy,
    "polars scan_csv, sink_parquet": polars_sink,
    "ratchet ingest": our_ingest,
    "ratchet validate": our_validate,
}
OURS = ("ratchet ingest", "ratchet validate")


def measured(name: str, source: Path, folder: Path) -> dict[str, float]:
    """Run one contender in its own process; seconds of the work and of the whole process, CPU seconds, and the peak in MB."""
    command = [sys.executable, "-m", "scripts.bench_door", name, str(source), str(folder)]
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as pipe:
        told = pipe.read()
    _, status, used = os.wait4(process.pid, 0)
    whole = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{name} failed with status {process.returncode}")
    return {"work": json.loads(told), "whole": whole, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}


def main() -> None:
    """Print the table."""
    import platform
    from importlib.metadata import version

    names = [name for name in CONTENDERS if ROWS <= 1_000_000 or name in OURS]
    with tempfile.TemporaryDirectory(prefix="ratchet-bench-", dir=os.environ.get("BENCH_DIR")) as scratch:
        source = Path(scratch) / "bank.csv"
        write_table(source, ROWS)
        versions = ", ".join(f"{name} {version(name)}" for name in ("pandas", "duckdb", "polars", "pyarrow"))
        table = f"{ROWS:,} rows x 35 columns, {source.stat().st_size / 1e6:,.0f} MB"
        print(f"{table}; {os.cpu_count()} cores; Python {platform.python_version()}, {versions}")
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        for _ in range(ROUNDS if ROWS <= 1_000_000 else 1):
            for name in names:
                runs[name].append(measured(name, source, Path(scratch)))
        best = {name: {key: min(run[key] for run in found) for key in found[0]} for name, found in runs.items()}
        both = [best[name] for name in OURS]
        best["ratchet ingest + validate"] = {key: sum(run[key] for run in both) for key in ("work", "whole", "cpu")}
        best["ratchet ingest + validate"]["peak"] = max(run["peak"] for run in both)
        print("| | work s | process s | CPU s | peak MB |\n|---|---|---|---|---|")
        for name, run in best.items():
            print(f"| {name} | {run['work']:.2f} | {run['whole']:.2f} | {run['cpu']:.2f} | {run['peak']:,.0f} |")


def one(name: str, source: Path, folder: Path) -> None:
    """Let one contender work, and print the seconds that its work took, imports included."""
    begin = time.perf_counter()
    CONTENDERS[name](source, folder)
    print(json.dumps(time.perf_counter() - begin))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        one(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
