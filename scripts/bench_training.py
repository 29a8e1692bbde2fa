"""Training an autoencoder, beside Keras's own `fit`: 35 columns of numbers, batches of 256, three passes, each in a process of its own.

Both train the same network (35-16-8-16-35, Adam, mean squared error) from the same rows and weights. `fit` is given all rows as one array
in memory, which is the least that it can be asked; ours reads them from a Dataset through its scratch file, as the step does, and looks at
the validation rows after each pass. What a network has learnt is its error on rows that neither has trained on.

    .venv/bin/python -m scripts.bench_training           # a million rows, and ten million for the memory
    QUICK=1 .venv/bin/python -m scripts.bench_training   # without the ten million
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

ROWS = int(os.environ.get("ROWS", "1000000"))
QUICK = os.environ.get("QUICK", "") not in ("", "0")
BLOCK = 250_000
COLUMNS, HIDDEN, LATENT, BATCH, PASSES = 35, (16,), 8, 256, 3
FASTER, SAME, FLAT = 4.0, 0.05, 1.25  # what must hold: times faster; share of the error; times the memory at ten times the rows
VALIDATION = 20_000
Figures = dict[str, float]


def blocks(start: int, rows: int) -> "Iterator[pl.DataFrame]":
    """Make rows of numbers that six hidden ones explain, but for noise."""
    import numpy as np
    import polars as pl

    mixing = np.random.default_rng(0).normal(size=(6, COLUMNS))
    for place in range(0, rows, BLOCK):
        rng = np.random.default_rng([1, start + place])
        n = min(BLOCK, rows - place)
        values = np.tanh(rng.normal(size=(n, 6)) @ mixing) + 0.1 * rng.normal(size=(n, COLUMNS))
        yield pl.DataFrame({f"number_{column:02}": values[:, column] for column in range(COLUMNS)})


def write(folder: Path, rows: int) -> None:
    """Write both splits and the specification."""
    from ratchet.data.tables import write_dataset
    from ratchet.features.spec import FeatureSpec

    write_dataset(blocks(1, rows), folder / "train", source="bench")
    write_dataset(blocks(0, VALIDATION), folder / "validation", source="bench")
    names = tuple(f"number_{column:02}" for column in range(COLUMNS))
    FeatureSpec("anomaly", "", dict.fromkeys(names, "number"), names, ("normal", "anomaly")).write(folder / "specification.json")


def ours(folder: Path) -> Figures:
    """What the step does up to the package: read, prepare, train."""
    from ratchet.features.spec import FeatureSpec
    from ratchet.models.autoencoder.fitted import fit_network
    from ratchet.models.autoencoder.parameters import AutoencoderParameters
    from ratchet.models.autoencoder.splits import read_splits
    from ratchet.models.autoencoder.tensorflow import load_tensorflow

    how = AutoencoderParameters(hidden=HIDDEN, latent_size=LATENT, batch_size=BATCH, epochs=PASSES)
    load_tensorflow(how.threads)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="ratchet-bench-", dir=folder) as scratch:
        spec = FeatureSpec.read(folder / "specification.json")
        learnt, _ = read_splits(Path(scratch), folder / "train", folder / "validation", spec, how)
        read = time.perf_counter()
        fitted = fit_network(learnt, how, LATENT)
        ended = time.perf_counter()
    return {"read": read - began, "seconds": ended - read, "error": fitted.history.validation_error[-1]}


def plain(folder: Path) -> Figures:
    """Keras's `fit` of the same network, all rows in memory."""
    import numpy as np
    import polars as pl

    from ratchet.models.autoencoder.networks import build_network
    from ratchet.models.autoencoder.parameters import AutoencoderParameters
    from ratchet.models.autoencoder.preparation import Number, Preparation
    from ratchet.models.autoencoder.tensorflow import load_tensorflow

    load_tensorflow(2)
    import keras

    began = time.perf_counter()
    rows, judged = (pl.read_parquet(folder / split).cast(pl.Float32).to_numpy() for split in ("train", "validation"))
    centre, spread = rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, dtype=np.float64)
    rows, judged = (((part - centre) / spread).astype(np.float32) for part in (rows, judged))
    read = time.perf_counter()
    columns = tuple(Number(f"number_{column:02}", 0.0, 1.0) for column in range(COLUMNS))
    network = build_network(Preparation(columns, (), (1.0,) * COLUMNS), AutoencoderParameters(hidden=HIDDEN), LATENT)
    model = keras.Model(network.input["numbers"], network.output["numbers"])
    model.compile(keras.optimizers.Adam(AutoencoderParameters().learning_rate), "mse")
    model.fit(rows, rows, batch_size=BATCH, epochs=PASSES, verbose=0)
    ended = time.perf_counter()
    made = model.predict(judged, batch_size=8192, verbose=0)
    return {"read": read - began, "seconds": ended - read, "error": float(np.square(made - judged).mean())}


CONTENDERS: dict[str, Callable[[Path], Figures]] = {"Keras `fit`": plain, "**ours**": ours}


def measured(who: str, folder: Path) -> Figures:
    """Let a contender work in a process of its own, and return what it says of itself, its processor seconds and its peak memory in MiB."""
    command = [sys.executable, "-W", "ignore", "-m", "scripts.bench_training", who, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    with process.stdout as stream:
        printed = stream.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"bench: {who} ended with status {process.returncode}")
    return {**json.loads(printed.splitlines()[-1]), "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}


def line(who: str, rows: int, found: Figures) -> str:
    """Return a contender's figures as a row of the table."""
    rate = PASSES * rows / found["seconds"]
    timed = f"{found['read']:.1f} | {found['seconds']:.1f} | {rate:,.0f} | {found['cpu']:.0f}"
    return f"| {who} | {rows:,} | {timed} | {found['peak']:,.0f} | {found['error']:.4f} |"


def main() -> int:
    """Print the table; return 1 where what must hold does not."""
    from scripts.bench_machine import machine

    print(f"{COLUMNS} columns, batches of {BATCH}, {PASSES} passes; {machine(('tensorflow', 'keras', 'numpy', 'polars'))}\n")
    print("| | rows | reading, s | training, s | rows/s | processors, s | peak MiB | error |\n|---|---|---|---|---|---|---|---|")
    found: dict[tuple[str, int], Figures] = {}
    for rows in (ROWS,) if QUICK else (ROWS, 10 * ROWS):
        with tempfile.TemporaryDirectory(prefix="ratchet-bench-", dir=os.environ.get("BENCH_DIR")) as name:
            # In a child: the peak that is reported of a process begins with its parent's.
            subprocess.run([sys.executable, "-m", "scripts.bench_training", "write", name, str(rows)], check=True)
            for who in CONTENDERS if rows == ROWS else ["**ours**"]:
                found[who, rows] = measured(who, Path(name))
                print(line(who, rows, found[who, rows]), flush=True)
    usual, mine = (found[who, ROWS] for who in CONTENDERS)
    faster, apart = usual["seconds"] / mine["seconds"], mine["error"] / usual["error"] - 1
    print(f"\nours trains {faster:.1f} times as many rows a second (reach: {FASTER:.0f}); its error is {apart:+.1%} of fit's")
    holds = faster >= FASTER and apart <= SAME
    if not QUICK:
        grown = found["**ours**", 10 * ROWS]["peak"] / mine["peak"]
        print(f"with ten times the rows its peak memory is {grown:.2f} times as large (reach: {FLAT})")
        holds = holds and grown <= FLAT
    return 0 if holds else 1


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(main())
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        print(json.dumps(CONTENDERS[sys.argv[1]](Path(sys.argv[2]))))
