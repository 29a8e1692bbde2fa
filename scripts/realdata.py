"""``make realdata``: the compiled pipelines on public data sets, beside what is published on them.

Each runs by the file that users submit, a subprocess a step, in a fresh home: a first champion. Parameters come from the pipeline's
``configs``, every one of them is printed, and all else is a default. Figures are computed from what the run has written. It fails when a
run comes to another word than it should, or a reach does not hold.

    python -m scripts.realdata                 all
    python -m scripts.realdata adult elec2     these
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ratchet.catalog import pipeline_path
from ratchet.submit.configuration import Configuration
from ratchet.submit.local import LocalRun, submit_local
from ratchet.submit.parameters import CompiledPipeline
from scripts.realdata_run import Artifacts
from scripts.realdata_set import DataSet
from scripts.realdata_sets import DATA_SETS

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
NAMED = ("source", "model", "target")  # what the data is, and no override
WIDTH = 11


def deliver(data: DataSet, pipeline: CompiledPipeline, folder: Path, home: Path, seed: int | None = None, **changed: Any) -> LocalRun:
    """Run the pipeline on a data set.

    Args:
        data: Which.
        pipeline: The compiled file.
        folder: Where the data sets lie.
        home: Of the installation; made, and fresh.
        seed: Of everything random; None for the configuration's.
        changed: Parameters of which the configuration says something else.
    """
    home.mkdir(parents=True)
    source = data.prepare(folder / data.folder / data.file, home)
    for name in [name for name in os.environ if name.startswith("RATCHET_")]:
        del os.environ[name]  # a shell that is set to an installation must not promote into it
    os.environ["RATCHET_HOME"] = str(home / "ratchet")
    seeded = {} if seed is None else {"seed": seed}
    return submit_local(pipeline, pipeline.arguments({**configured(data), **seeded, **changed, "source": str(source)}))


def configured(data: DataSet) -> dict[str, Any]:
    """Return the parameters of a data set's configuration."""
    return dict(Configuration.read(ROOT / "pipelines" / data.pipeline / "configs" / f"{data.folder}.yaml").parameters)


def overrides(given: Mapping[str, Any]) -> list[str]:
    """Return a line for each parameter that is not a default, long texts and lists in short.

    >>> overrides({"model": "m", "target": "y", "drop_columns": ["duration"], "windows": [{"over": "1d"}] * 3})
    ["drop_columns = ['duration']", "windows = 3 of them, e.g. {'over': '1d'}"]
    """
    return [f"{name} = {_short(value)}" for name, value in given.items() if name not in NAMED]


def _short(value: Any) -> str:
    if isinstance(value, list) and len(value) > 2 and isinstance(value[0], dict):
        return f"{len(value)} of them, e.g. {value[0]}"
    return repr(value) if isinstance(value, list | dict) else " ".join(str(value).split())


def figures_of(data: DataSet, run: LocalRun, folder: Path) -> dict[str, float]:
    """Return what ``evaluate`` has measured and what the data set measures besides."""
    written = Artifacts(run.folder, data.pipeline)
    return {**written.metrics, **data.measure(written, folder / data.folder / data.file)}


def mean_of(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each figure that every run has.

    >>> mean_of([{"accuracy": 0.5, "f1": 1.0}, {"accuracy": 1.0}])
    {'accuracy': 0.75}
    """
    shared = [name for name in runs[0] if all(name in figures for figures in runs)]
    return {name: sum(figures[name] for figures in runs) / len(runs) for name in shared}


def report(data: DataSet, run: LocalRun, figures: Mapping[str, float], by_seed: Sequence[Mapping[str, float]] = ()) -> tuple[str, bool]:
    """Return what is printed of a data set, and whether it came to the word that it should and all that must hold does.

    Args:
        data: Which.
        run: Of several, the last.
        figures: Of the run, or the means of several.
        by_seed: The figures of each of several runs, in the order of the seeds.
    """
    lines = [("set", line) for line in overrides(configured(data))] or [("set", "nothing: all defaults")]
    lines += [("ours", _told(_of(figures, data.shown)) + (", mean of the seeds" if by_seed else ""))]
    lines += [("", f"seed {seed}: {_told(_of(one, data.shown[:1]))}") for seed, one in zip(data.seeds, by_seed, strict=False)]
    lines += [("published", f"{_told(published)}: {who} ({where})") for who, published, where in data.published]
    lines += [("", f"{name} {value:.3f}") for name, value in figures.items() if ", " in name]
    held = {reach: reach.holds(figures) for reach in data.reaches}
    lines += [("reach", f"{reach.told}: {'holds' if holds else 'DOES NOT HOLD'}") for reach, holds in held.items()]
    lines += [("aim", f"{aim.told}: {'came true' if aim.holds(figures) else 'not yet'}") for aim in data.aims]
    head = f"{data.name}: {run.outcome} in {run.seconds:.0f} s; {run.reason}"
    return "\n".join([head, *(f"  {what:{WIDTH}}{line}" for what, line in lines)]), run.outcome == data.outcome and all(held.values())


def _of(figures: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
    return {name: figures.get(name, float("nan")) for name in names}


def _told(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in figures.items())


def tell(data: DataSet, pipeline: CompiledPipeline, folder: Path, scratch: Path) -> tuple[str, bool]:
    """Run a data set, once for each of its seeds, and return what is printed of it and whether all that must hold does."""
    measured = []
    for seed in data.seeds or (None,):
        run = deliver(data, pipeline, folder, scratch / f"{data.name}-{seed}", seed)
        if run.outcome not in ("promoted", "rejected") or (data.seeds and run.outcome != data.outcome):
            return f"{data.name}: {run.outcome}: {run.reason}", False
        measured.append(figures_of(data, run, folder))
    return report(data, run, mean_of(measured), measured if data.seeds else ())


def main() -> int:
    """Run, print, and return 1 when a run came to another word than it should or a reach does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [data.name for data in DATA_SETS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all where none is named")
    parser.add_argument("--pipeline", type=Path, default=None, help="another compiled file than the catalogue's")
    parser.add_argument("--data", type=Path, default=DATA, help="where the data sets lie")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.names) - set(names)):
        parser.error(f"no data set {', '.join(unknown)}; there are {', '.join(names)}")
    failed = []
    with tempfile.TemporaryDirectory(prefix="ratchet-realdata-") as scratch:
        for data in DATA_SETS:
            if asked.names and data.name not in asked.names:
                continue
            told, holds = tell(data, CompiledPipeline.read(asked.pipeline or pipeline_path(data.pipeline)), asked.data, Path(scratch))
            print(f"{told}\n", flush=True)
            failed += [] if holds else [data.name]
    print(f"what must hold does not on: {', '.join(failed)}" if failed else "all reaches hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
