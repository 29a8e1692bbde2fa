"""The schemas refuse what an API server would refuse, or drop in silence."""

from typing import Any

import pytest

from tests.infra.schemas import SchemaError, validate

ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "x"}}
BUDGET = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "spec": {"minAvailable": 1}}
MONITOR = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PodMonitor", "metadata": {"name": "x"}}
PORT = {"name": "http", "containerPort": 8080}


def workload(container: dict[str, Any]) -> dict[str, Any]:
    pod = {"spec": {"containers": [container]}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": pod}}


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        (ACCOUNT | {"automountServiceAccountTokens": False}, r"ServiceAccount\.automountServiceAccountTokens: unknown field"),
        (ACCOUNT | {"automountServiceAccountToken": "false"}, r"automountServiceAccountToken: 'false' is a str, and bool is wanted"),
        (ACCOUNT | {"metadata": {"labels": {"a": True}}}, r"metadata\.labels\.a: True is a bool, and str is wanted"),
        (ACCOUNT | {"apiVersion": "v2"}, "v2 ServiceAccount is not a kind"),
        (BUDGET | {"spec": {"minAvailable": {}}}, r"spec\.minAvailable: \{\} is a dict"),
        (workload({"name": "x", "ports": [PORT, PORT | {"hostport": 1}]}), r"containers\[0\]\.ports\[1\]\.hostport: unknown field"),
        (workload({"name": "x", "ports": [{"name": "http"}]}), r"containers\[0\]\.ports\[0\]: .*`container_port`"),
        (workload({"name": "x", "ports": PORT}), r"containers\[0\]\.ports: .* is a dict"),
        (workload({"name": "x", "resources": {"requests": {"cpu": 1}}}), r"requests\.cpu: 1 is a int, and str is wanted"),
        (MONITOR, r"PodMonitor\.spec: missing"),
        (MONITOR | {"spec": {"selector": {}, "podMetricsEndpoints": [{"port": "http", "paths": "/"}]}}, r"\[0\]\.paths: unknown field"),
    ],
)
def test_the_schemas_refuse_what_kubernetes_would_drop_or_refuse(manifest, told):
    with pytest.raises(SchemaError, match=told):
        validate(manifest)
