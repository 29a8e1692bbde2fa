"""Kubernetes' own schemas, as the models of its Python client carry them, applied more strictly than an API server does.

Not `kubectl apply --dry-run=client`: it asks a cluster for the schemas, and takes an unknown field in silence where it has none.
The models know names, types and what is required; of the words that a field may hold (``RollingUpdate``) they know nothing.
"""

import re
from datetime import datetime
from typing import Any

from kubernetes import client

# The Prometheus operator's resource is not in the client, so the few fields of it that make sense here stand below, by hand:
# field → type, a star where this house wants it (the resource itself wants only the selector).
POD_MONITOR = {
    "PodMonitor": {"apiVersion*": "str", "kind*": "str", "metadata*": "V1ObjectMeta", "spec*": "PodMonitorSpec"},
    "PodMonitorSpec": {
        "selector*": "V1LabelSelector",
        "podMetricsEndpoints*": "list[PodMetricsEndpoint]",
        "jobLabel": "str",
        "podTargetLabels": "list[str]",
        "sampleLimit": "int",
    },
    "PodMetricsEndpoint": {"port*": "str", "path*": "str", "interval": "str", "scrapeTimeout": "str", "honorLabels": "bool"},
}
MODELS = {
    ("v1", "ConfigMap"): "V1ConfigMap",
    ("v1", "PersistentVolumeClaim"): "V1PersistentVolumeClaim",
    ("v1", "Service"): "V1Service",
    ("v1", "ServiceAccount"): "V1ServiceAccount",
    ("apps/v1", "Deployment"): "V1Deployment",
    ("autoscaling/v2", "HorizontalPodAutoscaler"): "V2HorizontalPodAutoscaler",
    ("monitoring.coreos.com/v1", "PodMonitor"): "PodMonitor",
    ("networking.k8s.io/v1", "NetworkPolicy"): "V1NetworkPolicy",
    ("policy/v1", "PodDisruptionBudget"): "V1PodDisruptionBudget",
}
# "object" is the client's name for a field that takes a number or a text: a port, a count or a percentage.
PLAIN: dict[str, tuple[type, ...]] = {
    "str": (str,), "int": (int,), "bool": (bool,), "float": (float, int), "object": (int, str), "datetime": (datetime,),
}  # fmt: skip
CONFIGURATION = client.Configuration()


class SchemaError(AssertionError):
    """An object does not meet its schema; the message names the path in it."""


def validate(manifest: dict[str, Any]) -> None:
    """Hold an object against the schema of its kind.

    Raises:
        SchemaError: a field is unknown, missing or of the wrong type, or the kind is none that is known here.
    """
    kind = manifest.get("apiVersion"), manifest.get("kind")
    if kind not in MODELS:
        raise SchemaError(f"{kind[0]} {kind[1]} is not a kind that is known here; add it to MODELS with its model")
    _build(manifest, MODELS[kind], str(manifest["kind"]))


def _build(value: Any, kind: str, path: str) -> Any:
    """Return the client's own object of a value, so that its validation runs, too."""
    if match := re.fullmatch(r"list\[(.+)\]", kind):
        _expect(value, (list,), kind, path)
        return [_build(item, match[1], f"{path}[{index}]") for index, item in enumerate(value)]
    if match := re.fullmatch(r"dict\(str, (.+)\)", kind):
        _expect(value, (dict,), kind, path)
        return {name: _build(item, match[1], f"{path}.{name}") for name, item in value.items()}
    if kind in PLAIN:
        _expect(value, PLAIN[kind], kind, path)
        return value
    _expect(value, (dict,), kind, path)
    if kind in POD_MONITOR:
        return _build_by_hand(value, POD_MONITOR[kind], path)
    model = getattr(client, kind)
    attributes = {field: attribute for attribute, field in model.attribute_map.items()}
    _refuse_unknown(value, attributes, path)
    arguments = {attributes[name]: _build(item, model.openapi_types[attributes[name]], f"{path}.{name}") for name, item in value.items()}
    try:
        return model(**arguments, local_vars_configuration=CONFIGURATION)
    except ValueError as error:
        raise SchemaError(f"{path}: {error}") from error


def _build_by_hand(value: dict[str, Any], fields: dict[str, str], path: str) -> dict[str, Any]:
    kinds = {name.rstrip("*"): kind for name, kind in fields.items()}
    _refuse_unknown(value, kinds, path)
    for name in fields:
        if name.endswith("*") and name.rstrip("*") not in value:
            raise SchemaError(f"{path}.{name.rstrip('*')}: missing")
    return {name: _build(item, kinds[name], f"{path}.{name}") for name, item in value.items()}


def _refuse_unknown(value: dict[str, Any], known: dict[str, str], path: str) -> None:
    for name in value:
        if name not in known:
            raise SchemaError(f"{path}.{name}: unknown field")


def _expect(value: Any, types: tuple[type, ...], kind: str, path: str) -> None:
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise SchemaError(f"{path}: {value!r} is a {type(value).__name__}, and {kind} is wanted")
