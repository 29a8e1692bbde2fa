"""Batch scoring, beside the model alone: 35 columns a row, each contender in a process of its own.

`encode` and `predict` read a Dataset and write one, features, checks and digests included, as the steps do. Beside them the bare models
on arrays that are in memory already: onnxruntime on prepared ones, with as many threads as it takes, and CatBoost on a table of floats.
What they find is compared with what the steps wrote.

    .venv/bin/python -m scripts.bench_scoring                # a million rows, and ten times as many for the memory
    QUICK=1 .venv/bin/python -m scripts.bench_scoring        # a third of that
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

QUICK = os.environ.get("QUICK", "") not in ("", "0")
ROWS = int(os.environ.get("ROWS", "300000" if QUICK else "1000000"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
BLOCK = 250_000
COLUMNS, HIDDEN, LATENT = 35, 16, 8
REACH = 200_000  # rows a second of `encode`, with two cores
GROWTH = 1.5  # of the peak memory, at most, when the rows grow tenfold
LEARNT_FROM = 20_000


def blocks(rows: int) -> Iterator[Any]:
    """Make a table of few independent numbers behind many columns, a part at a time."""
    import numpy as np
    import polars as pl

    mixing = np.random.default_rng(0).normal(size=(LATENT, COLUMNS))
    for start in range(0, rows, BLOCK):
        rng = np.random.default_rng([1, start])
        n = min(BLOCK, rows - start)
        values = np.tanh(rng.normal(size=(n, LATENT))) @ mixing + rng.normal(0, 0.3, (n, COLUMNS))
        made = pl.DataFrame({f"column_{place:02}": np.ascontiguousarray(values[:, place]) for place in range(COLUMNS)})
        yield made.with_columns(id=pl.int_range(start, start + n), label=(pl.Series(values.sum(axis=1)) > 0).cast(pl.Int64))


def write(folder: Path, rows: int) -> None:
    """Write a table of some rows, one ten times as long, and the two packages."""
    from ratchet.data.tables import read_dataset, write_dataset

    write_dataset(blocks(rows), folder / "rows", source="bench")
    write_dataset(blocks(10 * rows), folder / "ten_times", source="bench")
    table = read_dataset(folder / "rows").head(LEARNT_FROM)
    write_autoencoder(folder / "autoencoder", table)
    write_boosting(folder, table)


def write_autoencoder(path: Path, table: Any) -> None:
    """Write a 35-16-8-16-35 network with weights from a seed: what they are worth takes no time."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    from ratchet.features.spec import FeatureSpec
    from ratchet.models.autoencoder.preparation import Preparation
    from ratchet.models.package import Description, write_package

    names = tuple(name for name in table.columns if name.startswith("column_"))
    spec = FeatureSpec("anomaly", "", dict.fromkeys(names, "number"), names, ("normal", "anomaly"), key=("id",))
    preparation = Preparation.learn([spec.matrix(table)], names)
    rng, sizes = np.random.default_rng(2), (COLUMNS, HIDDEN, LATENT, HIDDEN, COLUMNS)
    nodes, weights, last = [], [], "numbers"
    for place, (takes, gives) in enumerate(pairwise(sizes)):
        kernel, out = rng.normal(0, takes**-0.5, (takes, gives)).astype(np.float32), "embedding" if place == 1 else f"layer_{place}"
        weights += [
            numpy_helper.from_array(kernel, f"kernel_{place}"),
            numpy_helper.from_array(np.zeros(gives, np.float32), f"bias_{place}"),
        ]
        nodes += [helper.make_node("Gemm", [last, f"kernel_{place}", f"bias_{place}"], [out if place % 2 else f"sum_{place}"])]
        nodes += [] if place % 2 else [helper.make_node("Relu", [f"sum_{place}"], [out])]
        last = out
    weights.append(numpy_helper.from_array(np.ones(1, np.float32), "one"))
    nodes += [
        helper.make_node("Sub", ["numbers", last], ["difference"]),
        helper.make_node("Mul", ["difference", "difference"], ["squares"]),
        helper.make_node("Sub", ["one", "missing"], ["present"]),
        helper.make_node("Mul", ["squares", "present"], ["errors"]),
    ]
    ports = {"numbers": COLUMNS, "missing": COLUMNS, "embedding": LATENT, "errors": COLUMNS}
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size]) for name, size in ports.items()]
    graph = helper.make_graph(nodes, "bench", values[:2], values[2:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)

    def write_native(folder: Path) -> None:
        preparation.write(folder)
        (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))

    write_package(path, Description("autoencoder", spec, 1.5, {}, 2, "rows:bench"), write_native, table)


def write_boosting(folder: Path, table: Any) -> None:
    """Train 300 trees on the table's first rows."""
    from ratchet.data.tables import write_dataset
    from ratchet.features.build import build_features
    from ratchet.models.training import BoostingParameters, train_boosting

    write_dataset(table, folder / "learnt_from", source="bench")
    names = ("train", "validation", "holdout", "table", "specification")
    places = {f"{name}_path": folder / "splits" / name for name in names}
    build_features(folder / "learnt_from", champion_path=None, target="label", drop_columns=["id"], **places)
    how = BoostingParameters(iterations=300, early_stopping_rounds=300)
    train_boosting(*(places[f"{name}_path"] for name in ("train", "validation", "specification")), folder / "boosting", parameters=how)


def table_of(folder: Path) -> Any:
    """Return the columns that the models read, in memory."""
    import polars as pl

    return pl.scan_parquet(folder / "rows").select(pl.col("^column_.*$")).collect()


def encode(folder: Path, rows: str = "rows") -> tuple[float, list[float]]:
    """The step's call."""
    from ratchet.data.tables import scan_dataset
    from ratchet.scoring import encode_rows

    began = time.perf_counter()
    encode_rows(folder / rows, folder / "autoencoder", folder / "encoded", keep=["id"])
    seconds = time.perf_counter() - began
    return seconds, scan_dataset(folder / "encoded").select("error").head(LEARNT_FROM).collect()["error"].to_list()


def encode_ten_times(folder: Path) -> tuple[float, list[float]]:
    """The step's call, with ten times the rows."""
    return encode(folder, "ten_times")


def predict(folder: Path, rows: str = "rows") -> tuple[float, list[float]]:
    """The step's call."""
    from ratchet.data.tables import scan_dataset
    from ratchet.scoring import predict_rows

    began = time.perf_counter()
    predict_rows(folder / rows, folder / "boosting", folder / "predicted", keep=["id"])
    seconds = time.perf_counter() - began
    return seconds, scan_dataset(folder / "predicted").select("prediction").head(LEARNT_FROM).collect()["prediction"].to_list()


def predict_ten_times(folder: Path) -> tuple[float, list[float]]:
    """The step's call, with ten times the rows."""
    return predict(folder, "ten_times")


def onnxruntime_alone(folder: Path) -> tuple[float, list[float]]:
    """One call with all rows, prepared before the clock starts, with onnxruntime's own threads."""
    import numpy as np
    import onnxruntime

    from ratchet.models.autoencoder.preparation import Preparation

    inputs = Preparation.read(folder / "autoencoder").prepare(table_of(folder)).inputs()
    session = onnxruntime.InferenceSession(str(folder / "autoencoder" / "model.onnx"), providers=["CPUExecutionProvider"])
    began = time.perf_counter()
    _, errors = session.run(["embedding", "errors"], inputs)
    found = errors.mean(axis=1, dtype=np.float64)
    return time.perf_counter() - began, found[:LEARNT_FROM].tolist()


def catboost_alone(folder: Path) -> tuple[float, list[float]]:
    """One call with all rows, in memory before the clock starts."""
    import catboost
    import numpy as np

    values = np.ascontiguousarray(table_of(folder).to_numpy())
    model = catboost.CatBoost()
    model.load_model(str(folder / "boosting" / "model.cbm"))
    began = time.perf_counter()
    found = model.predict(values, prediction_type="Probability")[:, 1]
    return time.perf_counter() - began, found[:LEARNT_FROM].tolist()


CONTENDERS: Mapping[str, tuple[Callable[[Path], tuple[float, list[float]]], int]] = {
    "**`encode`**, Parquet to Parquet": (encode, 1),
    "the same, ten times the rows": (encode_ten_times, 10),
    "onnxruntime alone, arrays in memory": (onnxruntime_alone, 1),
    "**`predict`**, 300 trees, Parquet to Parquet": (predict, 1),
    "the same trees, ten times the rows": (predict_ten_times, 10),
    "CatBoost alone, array in memory": (catboost_alone, 1),
}
ENCODE, ENCODE_TEN, ONNX, PREDICT, PREDICT_TEN, CATBOOST = CONTENDERS


def one(who: str, folder: Path) -> None:
    """Let one contender work, and print what came of it."""
    seconds, found = CONTENDERS[who][0](folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "found": found}))


def measured(who: str, folder: Path) -> dict[str, Any]:
    """Let a contender work in a process of its own.

    Returns:
        Seconds of its work, its peak memory in MB, and what it found for the first rows.
    """
    command = [sys.executable, "-W", "ignore", "-m", "scripts.bench_scoring", who, str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: {who} ended with status {done.returncode}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def farthest(first: list[float], second: list[float]) -> float:
    """Return by how much two contenders differ at most, relative to 1 or to what was found where that is more.

    >>> farthest([1.0, 8.0], [1.0, 6.0])
    0.25
    """
    return max(abs(a - b) / max(1.0, abs(a)) for a, b in zip(first, second, strict=True))


def row(who: str, rounds: list[dict[str, Any]], rows: int) -> str:
    """Return a contender's best figures as a row of the table."""
    seconds, peak = min(one["seconds"] for one in rounds), min(one["peak"] for one in rounds)
    return f"| {who} | {rows:,} | {seconds:.2f} | {rows / seconds:,.0f} | {peak:,.0f} |"


def main() -> int:
    """Print the table; return 1 where `encode` is slow, memory grows, or a step does not say what the model says."""
    from scripts.bench_machine import machine

    print(f"{COLUMNS} columns, network {COLUMNS}-{HIDDEN}-{LATENT}; best of {ROUNDS}; {machine(('polars', 'onnxruntime', 'catboost'))}\n")
    rounds: dict[str, list[dict[str, Any]]] = {who: [] for who in CONTENDERS}
    with tempfile.TemporaryDirectory(prefix="ratchet-bench-", dir=os.environ.get("BENCH_DIR")) as name:
        # In a child: the peak that is reported of a process begins with its parent's.
        subprocess.run([sys.executable, "-m", "scripts.bench_scoring", "write", name], check=True)
        for number in range(ROUNDS):
            for who, (_, times) in CONTENDERS.items():
                if number == 0 or times == 1:
                    rounds[who].append(measured(who, Path(name)))
    print("| | rows | s | rows/s | peak MB |\n|---|---|---|---|---|")
    for who, (_, times) in CONTENDERS.items():
        print(row(who, rounds[who], times * ROWS))
    found = {who: made[0]["found"] for who, made in rounds.items()}
    peak = {who: min(one["peak"] for one in made) for who, made in rounds.items()}
    speed = ROWS / min(one["seconds"] for one in rounds[ENCODE])
    apart = farthest(found[ENCODE], found[ONNX]), farthest(found[PREDICT], found[CATBOOST])
    growth = peak[ENCODE_TEN] / peak[ENCODE], peak[PREDICT_TEN] / peak[PREDICT]
    print(f"\nlargest difference from the model alone: encode {apart[0]:.1e}, predict {apart[1]:.1e}")
    print(f"memory at ten times the rows: encode × {growth[0]:.2f}, predict × {growth[1]:.2f} (reach: × {GROWTH})")
    print(f"encode: {speed:,.0f} rows/s (reach: {REACH:,})")
    return 0 if speed >= REACH and max(growth) <= GROWTH and apart[0] <= 1e-5 and apart[1] <= 1e-9 else 1


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(main())
    write(Path(sys.argv[2]), ROWS) if sys.argv[1] == "write" else one(sys.argv[1], Path(sys.argv[2]))
