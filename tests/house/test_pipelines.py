"""Every compiled pipeline keeps the rules that no component can keep alone."""

from pathlib import Path

import pytest

from tests.compiled import documents

ROOT = Path(__file__).resolve().parents[2]
(CATALOGUE,) = documents(ROOT / "components/catalogue.yaml")
PIPELINES = sorted((ROOT / "compiled/pipelines").glob("*.yaml"))
pytestmark = pytest.mark.slow  # each compiled file is read whole
every_pipeline = pytest.mark.parametrize("file", PIPELINES, ids=lambda file: file.stem)


def tasks(file: Path) -> list[tuple[str, str, dict]]:
    """(task, the catalogue's name of its component, its specification) of each step, those inside conditions included."""
    (spec,) = documents(file)
    dags = [spec["root"]["dag"], *(component["dag"] for component in spec["components"].values() if "dag" in component)]
    steps = [(name, task) for dag in dags for name, task in dag["tasks"].items()]
    executors = {name: component.get("executorLabel", "") for name, component in spec["components"].items()}
    commands = spec["deploymentSpec"]["executors"]
    found = []
    for name, task in steps:
        container = commands.get(executors[task["componentRef"]["name"]], {}).get("container")
        if container:
            arguments = container["args"]
            found.append((name, arguments[arguments.index("--function_to_execute") + 1], task))
    return found


def test_there_are_pipelines():
    assert PIPELINES


@every_pipeline
def test_a_step_is_cached_exactly_when_it_is_pure(file):
    cached = {name: task.get("cachingOptions", {}).get("enableCache", False) for name, _, task in tasks(file)}
    assert cached == {name: CATALOGUE[component]["kind"] == "pure" for name, component, _ in tasks(file)}


@every_pipeline
def test_a_pipeline_is_made_of_components_of_the_catalogue_only(file):
    assert {component for _, component, _ in tasks(file)} <= set(CATALOGUE)


@every_pipeline
def test_what_a_person_sets_is_described(file):
    (spec,) = documents(file)
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    assert not [name for name, parameter in parameters.items() if not parameter.get("description")]


@every_pipeline
def test_a_pipeline_has_one_exit_task_at_most(file):
    exits = [name for name, _, task in tasks(file) if task.get("triggerPolicy", {}).get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED"]
    assert len(exits) <= 1
