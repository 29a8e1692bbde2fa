"""What the compiled Kubeflow files give each pod, held against the kind of its step and against the portable file."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.kubeflow import LARGER, NAMES, ROOMS, SECRETS, SHARED
from tests.compiled import documents

ROOT = Path(__file__).resolve().parents[2]
(CATALOGUE,) = documents(ROOT / "components/catalogue.yaml")
RETRIES = {"pure": 0, "read": 1, "effect": 3}
FILES = sorted((ROOT / "compiled/kubeflow").glob("*.yaml"))
pytestmark = pytest.mark.slow  # each compiled file is read whole
every_pipeline = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def both(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two documents of a Kubeflow file: the pipeline, and what each executor is given."""
    pipeline, platform = documents(file)
    return pipeline, platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


def steps(file: Path) -> list[tuple[str, str, dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """(task, component, task specification, container, what its pod is given) of each step, those inside conditions included."""
    pipeline, executors = both(file)
    dags = [pipeline["root"]["dag"], *(item["dag"] for item in pipeline["components"].values() if "dag" in item)]
    found = []
    for name, task in (item for dag in dags for item in dag["tasks"].items()):
        label = pipeline["components"][task["componentRef"]["name"]].get("executorLabel")
        if label:
            container = pipeline["deploymentSpec"]["executors"][label]["container"]
            component = container["args"][container["args"].index("--function_to_execute") + 1]
            found.append((name, component, task, container, executors[label]))
    return found


def test_there_is_one_for_each_pipeline():
    assert [file.name for file in FILES] == sorted(file.name for file in (ROOT / "compiled/pipelines").glob("*.yaml"))


@every_pipeline
@pytest.mark.parametrize("folder", ["kubeflow", "pipelines"])
def test_a_step_s_kind_sets_its_caching_and_its_retries(file, folder):
    pipeline = documents(ROOT / "compiled" / folder / file.name)[0]
    dags = [pipeline["root"]["dag"], *(item["dag"] for item in pipeline["components"].values() if "dag" in item)]
    tasks = {name: task for dag in dags for name, task in dag["tasks"].items()}
    for name, component, _, _, _ in steps(file):
        kind, task = CATALOGUE[component]["kind"], tasks[name]
        assert task.get("cachingOptions", {}).get("enableCache", False) == (kind == "pure"), name
        assert task.get("retryPolicy", {}).get("maxRetryCount", 0) == RETRIES[kind], name


@every_pipeline
def test_a_step_s_kind_sets_its_room_and_its_time(file):
    for name, component, _, container, given in steps(file):
        room = LARGER.get(component, ROOMS[CATALOGUE[component]["kind"]])
        resources = container["resources"]
        assert {"resourceCpuRequest", "resourceCpuLimit", "resourceMemoryRequest", "resourceMemoryLimit"} <= set(resources), name
        assert (resources["resourceMemoryRequest"], resources["resourceMemoryLimit"]) == room.memory, name
        assert (resources["resourceCpuRequest"], resources["resourceCpuLimit"]) == room.cpu, name
        assert int(given["activeDeadlineSeconds"]) == room.seconds > 0, name


@every_pipeline
def test_no_pod_is_root_and_each_has_its_nodes(file):
    for name, _, _, _, given in steps(file):
        assert given["securityContext"]["runAsNonRoot"] is True, name
        assert int(given["securityContext"]["runAsUser"]) > 0, name
        assert given["nodeSelector"]["labels"], name


@every_pipeline
def test_secrets_come_as_variables_from_the_secret_that_is_a_parameter(file):
    for name, component, _, container, given in steps(file):
        (secret,) = given["secretAsEnv"]
        wanted = SECRETS[CATALOGUE[component]["kind"]]
        assert {item["secretKey"]: item["envVar"] for item in secret["keyToEnv"]} == wanted, name
        reference = secret["secretNameParameter"]["componentInputParameter"]
        assert reference.removeprefix("pipelinechannel--") == "secret", name
        plain = {item["name"] for item in container.get("env", [])}
        assert not plain & set(wanted.values()), name


@every_pipeline
def test_a_pure_step_is_told_no_credential_of_a_store(file):
    for name, component, _, _, given in steps(file):
        variables = {item["envVar"] for secret in given["secretAsEnv"] for item in secret["keyToEnv"]}
        if CATALOGUE[component]["kind"] == "pure":
            assert not variables & {"RATCHET_LEDGER_URL", "AWS_SECRET_ACCESS_KEY", "MLFLOW_TRACKING_TOKEN"}, name
            assert "pvcMount" not in given, name
        else:
            assert "RATCHET_LEDGER_URL" in variables, name
            assert given["pvcMount"][0]["mountPath"] == SHARED, name


@every_pipeline
def test_the_two_files_are_one_pipeline(file):
    """Same tasks, same conditions, same commands; the Kubeflow file adds only what pods are given, and the parameters for it."""
    (portable,) = documents(ROOT / "compiled/pipelines" / file.name)
    pipeline, _ = both(file)
    added = set(pipeline["root"]["inputDefinitions"]["parameters"]) - set(portable["root"]["inputDefinitions"]["parameters"])
    assert added == set(NAMES)
    for executor in pipeline["deploymentSpec"]["executors"].values():
        executor["container"].pop("resources", None)
        executor["container"].pop("env", None)
    assert without_names(pipeline) == without_names(portable)


def without_names(value: Any) -> Any:
    """A specification without the inputs that carry the names to the pods."""
    if isinstance(value, list):
        return [without_names(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: without_names(item) for key, item in value.items() if key.removeprefix("pipelinechannel--") not in NAMES}
    return {key: item for key, item in kept.items() if item != {}}


@every_pipeline
def test_what_a_person_sets_is_described_and_the_names_have_defaults(file):
    parameters = both(file)[0]["root"]["inputDefinitions"]["parameters"]
    assert not [name for name, parameter in parameters.items() if not parameter.get("description")]
    assert {name: parameters[name]["defaultValue"] for name in NAMES} == {name: default for name, (default, _) in NAMES.items()}


@every_pipeline
def test_kfp_loads_the_file(file):
    from kfp import components

    loaded = components.load_component_from_file(str(file))
    assert loaded.platform_spec.platforms["kubernetes"]


def test_the_environment_that_steps_get_is_one_that_settings_know():
    from pipelines.kubeflow import SETTINGS, VARIABLES
    from ratchet.settings import Settings

    variables = {*SETTINGS.values(), *VARIABLES, *(name for keys in SECRETS.values() for name in keys.values())}
    ours = {name.removeprefix("RATCHET_").lower() for name in variables if name.startswith("RATCHET_")}
    assert ours <= set(Settings.model_fields)
