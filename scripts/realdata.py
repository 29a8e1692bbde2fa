"""``make realdata``: the compiled ``delivery`` on six public data sets, beside what is published on them.

Each runs by the file that users submit, a subprocess a step, in a fresh home: a first champion. Parameters come from
``pipelines/delivery/configs``, every one of them is printed, and all else is a default. Figures are computed from what the run has
written. It fails when a run comes to another word than it should, or a reach does not hold.

    python -m scripts.realdata                 all six
    python -m scripts.realdata adult elec2     these
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ratchet.catalog import pipeline_path
from ratchet.submit.configuration import Configuration
from ratchet.submit.local import LocalRun, submit_local
from ratchet.submit.parameters import CompiledPipeline
from scripts.realdata_run import Artifacts
from scripts.realdata_sets import DATA_SETS, DataSet

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
NAMED = ("source", "model", "target")  # what the data is, and no override
WIDTH = 11


def deliver(data: DataSet, pipeline: CompiledPipeline, folder: Path, home: Path) -> LocalRun:
    """Run the pipeline on a data set.

    Args:
        data: Which.
        pipeline: The compiled file.
        folder: Where the data sets lie.
        home: Of the installation; made, and fresh.
    """
    home.mkdir(parents=True)
    source = data.prepare(folder / data.name / data.file, home)
    for name in [name for name in os.environ if name.startswith("RATCHET_")]:
        del os.environ[name]  # a shell that is set to an installation must not promote into it
    os.environ["RATCHET_HOME"] = str(home / "ratchet")
    return submit_local(pipeline, pipeline.arguments({**configured(data), "source": str(source)}))


def configured(data: DataSet) -> dict[str, Any]:
    """Return the parameters of a data set's configuration."""
    return dict(Configuration.read(ROOT / "pipelines" / "delivery" / "configs" / f"{data.name}.yaml").parameters)


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
    written = Artifacts(run.folder)
    return {**written.metrics, **data.measure(written, folder / data.name / data.file)}


def report(data: DataSet, run: LocalRun, figures: Mapping[str, float]) -> tuple[str, bool]:
    """Return what is printed of a run, and whether it came to the word that it should and all that must hold does."""
    lines = [("set", line) for line in overrides(configured(data))] or [("set", "nothing: all defaults")]
    lines += [("ours", _told({name: figures[name] for name in data.shown}))]
    lines += [("published", f"{_told(published)}: {who} ({where})") for who, published, where in data.published]
    lines += [("", f"{name} {value:.3f}") for name, value in figures.items() if ", " in name]
    held = {reach: reach.holds(figures) for reach in data.reaches}
    lines += [("reach", f"{reach.told}: {'holds' if holds else 'DOES NOT HOLD'}") for reach, holds in held.items()]
    head = f"{data.name}: {run.outcome} in {run.seconds:.0f} s; {run.reason}"
    return "\n".join([head, *(f"  {what:{WIDTH}}{line}" for what, line in lines)]), run.outcome == data.outcome and all(held.values())


def _told(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in figures.items())


def main() -> int:
    """Run, print, and return 1 when a run came to another word than it should or a reach does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(data.name for data in DATA_SETS)}; all where none is named"
    )
    parser.add_argument("--pipeline", type=Path, default=None, help="another compiled file than the catalogue's")
    parser.add_argument("--data", type=Path, default=DATA, help="where the data sets lie")
    asked = parser.parse_args()
    pipeline = CompiledPipeline.read(asked.pipeline or pipeline_path("delivery"))
    failed = []
    with tempfile.TemporaryDirectory(prefix="ratchet-realdata-") as scratch:
        for data in DATA_SETS:
            if asked.names and data.name not in asked.names:
                continue
            run = deliver(data, pipeline, asked.data, Path(scratch) / data.name)
            if run.outcome in ("promoted", "rejected"):
                told, holds = report(data, run, figures_of(data, run, asked.data))
            else:
                told, holds = f"{data.name}: {run.outcome}: {run.reason}", False
            print(f"{told}\n", flush=True)
            failed += [] if holds else [data.name]
    print(f"what must hold does not on: {', '.join(failed)}" if failed else "all reaches hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
