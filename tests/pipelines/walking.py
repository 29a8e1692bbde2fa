"""Walks a compiled pipeline within this process: the same file, the same conditions, the same components, without a process a step.

A step that imports TensorFlow takes ten seconds for that alone, so all branches of a pipeline that trains with it would take a quarter of
an hour as the runner runs them. That the runner does the same is shown by one real run beside.
"""

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kfp import dsl

from ratchet.submit.parameters import CompiledPipeline
from tests.compiled import documents

ROOT = Path(__file__).resolve().parents[2]
KINDS = {f"system.{kind.__name__}": kind for kind in (dsl.Artifact, dsl.Dataset, dsl.Model, dsl.Metrics, dsl.HTML, dsl.Markdown)}
KINDS["system.ClassificationMetrics"] = dsl.ClassificationMetrics
TERM = re.compile(r"(!\()?inputs\.parameter_values\['([^']+)'\]\s+==\s+'([^']*)'\)?(?:\s+&&\s+)?")
RUN_ID = "{{$.pipeline_job_uuid}}"
INPUT = re.compile(r"\{\{\$\.inputs\.parameters\['([^']+)'\]\}\}")  # an input of the same task, within a text
Given = Mapping[str, Any]


@dataclass
class Walk:
    """A run as it went.

    Attributes:
        pipeline: The compiled file, read.
        folder: Where its artifacts go.
        run_id: Its id.
        after: What a test does right after a step, by the task's name.
        steps: Names of the steps that ran, in order.
        outputs: Of each: parameters and artifacts by name.
    """

    pipeline: Mapping[str, Any]
    folder: Path
    run_id: str
    after: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def value(self, step: str, name: str) -> Any:
        """Return what a step gave."""
        return self.outputs[step][name]

    def run(self, parameters: Given) -> None:
        """Run the whole pipeline; the exit task whatever became of the rest."""
        known = self.pipeline["root"]["inputDefinitions"]["parameters"]
        defaults = {name: spec["defaultValue"] for name, spec in known.items() if "defaultValue" in spec}
        self._dag(self.pipeline["root"]["dag"], {**defaults, **parameters})

    def _dag(self, dag: Given, given: Given) -> None:
        """Run tasks in an order in which each comes after what it depends on."""
        done: dict[str, dict[str, Any]] = {}
        left = dict(dag["tasks"])
        while left:
            name = next(name for name, task in left.items() if not set(task.get("dependentTasks", ())) & set(left))
            task = left.pop(name)
            exits = [other for other, its in left.items() if its.get("triggerPolicy", {}).get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED"]
            try:
                done[name] = self._task(name, task, given, done)
            finally:
                for exit_task in exits:
                    self._task(exit_task, left.pop(exit_task), given, done)

    def _task(self, name: str, task: Given, given: Given, done: Given) -> dict[str, Any]:
        inputs = self._inputs(task.get("inputs", {}), given, done)
        if not holds(task.get("triggerPolicy", {}).get("condition", ""), inputs):
            return {}
        component = self.pipeline["components"][task["componentRef"]["name"]]
        if "dag" in component:
            self._dag(component["dag"], inputs)
            return {}
        return self._step(name, component, inputs)

    def _step(self, name: str, component: Given, inputs: Given) -> dict[str, Any]:
        arguments = self.pipeline["deploymentSpec"]["executors"][component["executorLabel"]]["container"]["args"]
        face = face_of(arguments[arguments.index("--function_to_execute") + 1])
        takes = component.get("inputDefinitions", {})
        types = takes.get("parameters", {})
        known = {key: value for key, value in inputs.items() if key in types or key in takes.get("artifacts", {})}
        whole = {key: int(value) if types.get(key, {}).get("parameterType") == "NUMBER_INTEGER" else value for key, value in known.items()}
        made = component.get("outputDefinitions", {})
        folder = self.folder / f"{len(self.steps):02}-{name}"
        folder.mkdir(parents=True)
        artifacts = {
            key: KINDS[spec["artifactType"]["schemaTitle"]](uri=str(folder / key), name=key)
            for key, spec in made.get("artifacts", {}).items()
        }
        self.steps.append(name)
        values = face.python_func(**whole, **artifacts)
        self.outputs[name] = {**artifacts, **(values._asdict() if hasattr(values, "_asdict") else {})}
        if values is not None and not hasattr(values, "_asdict"):
            self.outputs[name] |= dict(zip([key for key in face.component_spec.outputs if key not in artifacts], values, strict=True))
        self.after.get(name, lambda: None)()
        return self.outputs[name]

    def _inputs(self, wanted: Given, given: Given, done: Given) -> dict[str, Any]:
        found = {}
        for name, source in {**wanted.get("parameters", {}), **wanted.get("artifacts", {})}.items():
            if "runtimeValue" in source:
                constant = source["runtimeValue"]["constant"]
                found[name] = constant.replace(RUN_ID, self.run_id) if isinstance(constant, str) else constant
            elif made := source.get("taskOutputParameter") or source.get("taskOutputArtifact"):
                found[name] = done[made["producerTask"]][made.get("outputParameterKey") or made["outputArtifactKey"]]
            else:
                found[name] = given[source.get("componentInputParameter") or source["componentInputArtifact"]]
        texts = {name: value for name, value in found.items() if isinstance(value, str)}
        return found | {name: INPUT.sub(lambda match: str(found[match[1]]), value) for name, value in texts.items()}


def walk(path: Path, parameters: Given, *, folder: Path, run_id: str, after: Mapping[str, Callable[[], None]] | None = None) -> Walk:
    """Walk a compiled pipeline.

    Args:
        path: Its file.
        parameters: By name; checked as `submit` checks them.
        folder: Where its artifacts go.
        run_id: Its id.
        after: What a test does right after a step, by the task's name.
    """
    made = Walk(documents(path)[0], folder, run_id, after or {})
    made.run(CompiledPipeline.read(path).arguments(dict(parameters)))
    return made


def holds(condition: str, inputs: Given) -> bool:
    """Return whether a condition holds: comparisons of texts, some of them negated, joined by "and".

    >>> holds("!(inputs.parameter_values['a'] == 'x') && inputs.parameter_values['b'] == 'y'", {"a": "z", "b": "y"})
    True
    """
    assert not TERM.sub("", condition).strip(), f"a condition that is not understood: {condition}"
    return all((inputs[name] == value) != bool(negated) for negated, name, value in TERM.findall(condition))


def face_of(name: str) -> Any:
    """Return a component by its name."""
    (file,) = ROOT.glob(f"components/*/{name}/component.py")
    module = importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
    return getattr(module, name)
