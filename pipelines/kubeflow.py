"""What a pipeline's pods are given on Kubernetes: secrets, settings, disk, resources, time, nodes, and no root. All of it is here.

Compilation makes two files of each pipeline's source: the portable one, and this one for Kubeflow, in which every task has been through
`furnish`. What Kubeflow takes as a parameter is one (the names of the Secret, the ConfigMap and the claim); the rest is fixed when it is
compiled, by the step's kind, because Kubernetes must know it before a pod starts.

Everything secret is an environment variable from one Secret, everything else of an installation from one ConfigMap, both in the
namespace of the run. Their keys are optional to Kubernetes: a pod whose Secret is missing would wait for it without a word, while a step
without a ledger says so and fails.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kfp import dsl, kubernetes
from kfp.dsl import PipelineTask, pipeline_context

CATALOGUE = Path(__file__).resolve().parents[1] / "components" / "catalogue.yaml"
SHARED = "/mnt/ratchet"
USER = 10001  # the images' own


@dataclass(frozen=True)
class Room:
    """What one pod may take: CPU and memory that it is sure of, the most of each, and seconds until it is ended."""

    cpu: tuple[str, str]
    memory: tuple[str, str]
    seconds: int


ROOMS = {
    "pure": Room(cpu=("1", "4"), memory=("2Gi", "8Gi"), seconds=2 * 3600),
    "read": Room(cpu=("500m", "2"), memory=("1Gi", "4Gi"), seconds=2 * 3600),
    "effect": Room(cpu=("250m", "1"), memory=("1Gi", "2Gi"), seconds=3600),
}
LARGER = {  # what is not like the others of its kind
    "train_boosting": Room(cpu=("2", "8"), memory=("4Gi", "16Gi"), seconds=12 * 3600),
    "train_autoencoder": Room(cpu=("2", "8"), memory=("4Gi", "16Gi"), seconds=12 * 3600),  # it reads its rows in a stream
    "train_stacked": Room(cpu=("2", "8"), memory=("4Gi", "16Gi"), seconds=12 * 3600),
    "advance_rollout": Room(cpu=("250m", "2"), memory=("1Gi", "4Gi"), seconds=25 * 3600),  # a run may wait a day for evidence
}
NODES = {"kubernetes.io/os": "linux"}
VARIABLES = {  # on every pod; the disk is mounted where the gateway mounts it, so that both mean the same files
    "RATCHET_HOME": "/tmp/ratchet",  # noqa: S108 (in the pod, where the image may write)
    "RATCHET_TRAFFIC": f"{SHARED}/traffic",
    "RATCHET_AUDIT_HEAD": f"{SHARED}/audit",
}
SECRETS = {  # by kind: key of the Secret to variable. A pure step learns nothing that it does not need.
    "pure": {"signing-key": "RATCHET_SIGNING_KEY"},
    "read": {
        "ledger-url": "RATCHET_LEDGER_URL",
        "signing-key": "RATCHET_SIGNING_KEY",
        "personal-salt": "RATCHET_PERSONAL_SALT",
        "tracking-token": "MLFLOW_TRACKING_TOKEN",
        "aws-access-key-id": "AWS_ACCESS_KEY_ID",
        "aws-secret-access-key": "AWS_SECRET_ACCESS_KEY",
    },
}
SECRETS["effect"] = SECRETS["read"] | {"webhook-url": "RATCHET_WEBHOOK_URL"}
SETTINGS = {  # key of the ConfigMap to variable
    name: name for name in ("RATCHET_TRACKING_URI", "RATCHET_ARTIFACT_ROOT", "RATCHET_PERSONAL_COLUMNS", "MLFLOW_S3_ENDPOINT_URL")
}
NAMES = {  # parameters that the Kubeflow file has and the portable one has not
    "secret": ("ratchet", "Kubernetes Secret that the steps' secrets come from."),
    "config_map": ("ratchet", "Kubernetes ConfigMap that the steps' settings come from."),
    "claim": ("ratchet-shared", "PersistentVolumeClaim with the recorded traffic and the audit heads, writable by many pods."),
}


def for_kubeflow(pipeline: Any) -> Any:
    """Return a pipeline as it goes to Kubeflow: the same steps, each furnished.

    Args:
        pipeline: What ``@dsl.pipeline`` made.
    """
    compose: Callable[..., Any] = pipeline.pipeline_func
    kinds = {name: entry["kind"] for name, entry in yaml.safe_load(CATALOGUE.read_text(encoding="utf-8")).items()}

    def composed(**given: Any) -> Any:
        names = {name: given.pop(name) for name in NAMES}
        outputs = compose(**given)
        for task in pipeline_context.Pipeline.get_default_pipeline().tasks.values():
            component = task.component_spec.name.replace("-", "_")
            if component in kinds:  # an importer has no pod
                furnish(task, component, kinds[component], names)
        return outputs

    spec = pipeline.component_spec
    composed = _with_names(composed, compose)
    return dsl.pipeline(name=spec.name, description=spec.description)(composed)


def furnish(task: PipelineTask, component: str, kind: str, names: Mapping[str, Any]) -> PipelineTask:
    """Give a task what its pod needs.

    Args:
        task: The task.
        component: Name of its component.
        kind: "pure", "read" or "effect".
        names: The parameters in ``NAMES``.
    """
    room = LARGER.get(component, ROOMS[kind])
    task.set_cpu_request(room.cpu[0]).set_cpu_limit(room.cpu[1])
    task.set_memory_request(room.memory[0]).set_memory_limit(room.memory[1])
    for variable, value in VARIABLES.items():
        task.set_env_variable(variable, value)
    kubernetes.set_timeout(task, room.seconds)
    kubernetes.set_security_context(task, run_as_user=USER, run_as_group=USER, run_as_non_root=True)
    for label, value in NODES.items():
        kubernetes.add_node_selector(task, label, value)
    kubernetes.use_secret_as_env(task, names["secret"], SECRETS[kind], optional=True)
    kubernetes.use_config_map_as_env(task, names["config_map"], SETTINGS, optional=True)
    if kind != "pure":
        kubernetes.mount_pvc(task, names["claim"], SHARED)
    return task


def _with_names(composed: Callable[..., Any], compose: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function with the signature and the docstring that kfp reads the run form from: the pipeline's own, and the names."""
    signature = inspect.signature(compose)
    added = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=str)
        for name, (default, _) in NAMES.items()
    ]
    whole = signature.replace(parameters=[*signature.parameters.values(), *added])

    def furnished(*given: Any) -> Any:
        return composed(**dict(zip(whole.parameters, given, strict=True)))

    furnished.__name__ = compose.__name__
    described = inspect.getdoc(compose) or ""
    heading = "" if "\nArgs:\n" in described else "\n\nArgs:"
    furnished.__doc__ = described + heading + "".join(f"\n    {name}: {text}" for name, (_, text) in NAMES.items())
    furnished.__signature__ = whole  # type: ignore[attr-defined]
    return furnished
