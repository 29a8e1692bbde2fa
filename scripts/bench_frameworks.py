"""Kubeflow's local runner, ZenML and Metaflow on the same two pipelines: ten steps that do nothing, and a small real one.

Each is run as its documentation says, on one machine without a server, in an environment of its own. Kubeflow's is what ``ratchet submit``
starts; its small pipeline is made of Ratchet's components (which also look the champion up, keep a quarantine and write reports), the
others' of `bench_small`. To compile is not counted for Kubeflow, because there a compiled file is what is submitted.
"""

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from scripts.bench_environments import environment_of, install
from scripts.bench_meter import Measured, measured

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT.parent / "shared" / "data" / "elec2" / "electricity-normalized.csv"
NOTHING, SMALL = "nothing", "small"


@dataclass(frozen=True)
class Framework:
    """Who is measured.

    Attributes:
        name: In short.
        prepare: Makes it ready in a folder; returns why it cannot be, empty when it is.
        command: Returns what runs a pipeline, by the pipeline's name and the folder, and the variables that it needs.
        steps: Number of steps by pipeline.
    """

    name: str
    prepare: Callable[[Path], str]
    command: Callable[[str, Path], tuple[list[str], dict[str, str]]]
    steps: Mapping[str, int]

    def run(self, work: str, folder: Path) -> Measured:
        """Run a pipeline in a folder that is kept from run to run, as a user's is.

        Raises:
            SystemExit: the run failed.
        """
        command, variables = self.command(work, folder)
        done = measured(command, folder=folder, variables=variables)
        if done.status:
            raise SystemExit(f"bench: {self.name} ended with {done.status}:\n{done.output[-3000:]}")
        return done


def compile_ours(folder: Path) -> str:
    """Compile our two pipelines into a folder."""
    from kfp import compiler

    from scripts.bench_ours import doing_nothing, small

    folder.mkdir(parents=True, exist_ok=True)
    for name, pipeline in ((NOTHING, doing_nothing), (SMALL, small)):
        compiler.Compiler().compile(pipeline, str(folder / f"{name}.yaml"))
    return ""


def ours(work: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """The process that ``ratchet submit`` starts."""
    arguments = {"source": str(SOURCE)} if work == SMALL else {}
    request = folder / f"{work}.json"
    request.write_text(json.dumps({"pipeline": str(folder / f"{work}.yaml"), "arguments": arguments, "root": str(folder / "runs")}))
    return [sys.executable, "-m", "ratchet.submit.runner", str(request)], {"RATCHET_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}


def prepare_zenml(folder: Path) -> str:
    """Install ZenML and make a repository, as its documentation says."""
    excuse = install("zenml")
    if excuse:
        return excuse
    done = measured([str(environment_of("zenml") / "bin" / "zenml"), "init"], folder=folder, variables=_zenml(folder))
    shutil.copy(ROOT / "scripts" / "bench_zenml.py", folder)  # it takes steps from its repository only
    return done.output[-2000:] if done.status else ""


def zenml(work: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """A Python file that calls a pipeline."""
    return [str(environment_of("zenml") / "bin" / "python"), "bench_zenml.py", work, str(SOURCE)], _zenml(folder)


def _zenml(folder: Path) -> dict[str, str]:
    return {
        "ZENML_CONFIG_PATH": str(folder / "config"),
        "ZENML_ANALYTICS_OPT_IN": "false",
        "AUTO_OPEN_DASHBOARD": "false",
        "PYTHONPATH": str(ROOT),
    }


def prepare_metaflow(folder: Path) -> str:
    """Install Metaflow."""
    return install("metaflow")


def metaflow(work: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """A flow's own command line."""
    script = str(ROOT / "scripts" / f"bench_metaflow_{work}.py")
    told = ["--path", str(SOURCE)] if work == SMALL else []
    variables = {"METAFLOW_DATASTORE_SYSROOT_LOCAL": str(folder), "METAFLOW_DEFAULT_METADATA": "local", "USERNAME": "bench"}
    return [str(environment_of("metaflow") / "bin" / "python"), script, "--no-pylint", "run", *told], {**variables, "PYTHONPATH": str(ROOT)}


def locked(name: str) -> str:
    """Return the version of a framework in its lock."""
    lines = (ROOT / "scripts" / f"bench_{name}.txt").read_text(encoding="utf-8").splitlines()
    return next(line.split("==")[1].split(" ")[0] for line in lines if line.startswith(f"{name}=="))


def frameworks() -> list[Framework]:
    """Return who is measured."""
    return [
        Framework(f"**kfp {version('kfp')}, as `ratchet submit` runs it**", compile_ours, ours, {NOTHING: 10, SMALL: 6}),
        Framework(f"ZenML {locked('zenml')}, default stack (one process)", prepare_zenml, zenml, {NOTHING: 10, SMALL: 5}),
        Framework(f"Metaflow {locked('metaflow')}, local", prepare_metaflow, metaflow, {NOTHING: 10, SMALL: 5}),
    ]
