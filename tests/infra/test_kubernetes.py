"""The gateway's manifests, as kubectl renders them: right by Kubernetes' schemas, and safe in the ways that somebody would notice."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from ratchet.cli.serve import serve
from ratchet.settings import Settings, load_settings
from tests.infra.schemas import validate

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "infra" / "kubernetes"
OVERLAYS = sorted(folder.name for folder in (MANIFESTS / "overlays").iterdir())
POLICY_EGRESS = {("UDP", 53), ("TCP", 53), ("TCP", 5432), ("TCP", 443)}
SECRET = re.compile(r"URL$|KEY|SALT|PASSWORD|TOKEN|SECRET|CREDENTIAL")
LAPTOP = ("kind",)  # overlays without what a laptop's cluster lacks: an autoscaler, a Prometheus operator, a shared file system

app = typer.Typer()
app.command()(serve)
SERVE = typer.main.get_command(app)

Manifest = dict[str, Any]


def in_old_spelling(folder: Path) -> Path:
    """Rewrite a copy of the manifests for kubectl before 1.21, which is Debian 12's: its kustomize is 2.0.3, of 2019."""
    for path in folder.rglob("kustomization.yaml"):
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        values["bases"] = [name for name in values.get("resources", []) if (path.parent / name).is_dir()]
        values["resources"] = [name for name in values.get("resources", []) if name not in values["bases"]]
        values["patchesStrategicMerge"] = [patch["path"] for patch in values.pop("patches", [])]
        path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Manifest]]:
    """Objects by overlay."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not there; install it (in Debian: apt-get install kubernetes-client), or let .ci/run do it as root")
    version = subprocess.run([kubectl, "version", "--client", "-o", "json"], capture_output=True, text=True, check=True)
    old = int(re.sub(r"\D", "", json.loads(version.stdout)["clientVersion"]["minor"])) < 21
    folder = shutil.copytree(MANIFESTS, tmp_path_factory.mktemp("infra") / "kubernetes")
    if old:
        in_old_spelling(folder)
    objects = {}
    for overlay in OVERLAYS:
        done = subprocess.run([kubectl, "kustomize", folder / "overlays" / overlay], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{overlay}: {done.stderr}"
        assert not done.stderr, f"{overlay}: {done.stderr}"
        objects[overlay] = list(yaml.safe_load_all(done.stdout))
    return objects


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def objects(rendered: dict[str, list[Manifest]], overlay: str) -> list[Manifest]:
    return rendered[overlay]


def those(objects: list[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in objects if manifest["kind"] == kind]


def only(objects: list[Manifest], kind: str) -> Manifest:
    found = those(objects, kind)
    assert len(found) == 1, f"{len(found)} of kind {kind}"
    return found[0]


def template(objects: list[Manifest]) -> Manifest:
    found: Manifest = only(objects, "Deployment")["spec"]["template"]
    return found


def gateway(objects: list[Manifest]) -> Manifest:
    (container,) = template(objects)["spec"]["containers"]
    return dict(container)


def variables(objects: list[Manifest]) -> dict[str, str]:
    """What the gateway's process finds in its environment, but for what the cluster's secrets add."""
    names = [source["configMapRef"]["name"] for source in gateway(objects)["envFrom"] if "configMapRef" in source]
    maps = {manifest["metadata"]["name"]: manifest["data"] for manifest in those(objects, "ConfigMap")}
    found = {name: value for source in names for name, value in maps[source].items()}
    return found | {entry["name"]: entry["value"] for entry in gateway(objects).get("env", []) if "value" in entry}


def volume_at(objects: list[Manifest], path: str) -> Manifest:
    """The volume that a path lies on."""
    mounts = [mount for mount in gateway(objects)["volumeMounts"] if Path(path).is_relative_to(mount["mountPath"])]
    assert mounts, f"{path} lies on the container's own file system, which is read-only"
    mount = max(mounts, key=lambda mount: len(mount["mountPath"]))
    (volume,) = [volume for volume in template(objects)["spec"]["volumes"] if volume["name"] == mount["name"]]
    return {**volume, "mount": mount}


def count(objects: list[Manifest]) -> int:
    """Fewest replicas that are wanted."""
    scalers = those(objects, "HorizontalPodAutoscaler")
    return int(scalers[0]["spec"]["minReplicas"] if scalers else only(objects, "Deployment")["spec"]["replicas"])


def test_every_object_meets_the_schema_of_its_kind(objects):
    for manifest in objects:
        validate(manifest)


def test_an_overlay_has_every_kind_that_its_cluster_knows(objects, overlay):
    kinds = {"Deployment", "Service", "ServiceAccount", "ConfigMap", "PodDisruptionBudget", "NetworkPolicy", "PersistentVolumeClaim"}
    operators = {"HorizontalPodAutoscaler", "PodMonitor"}
    assert {manifest["kind"] for manifest in objects} == (kinds if overlay in LAPTOP else kinds | operators)
    (namespace,) = {manifest["metadata"]["namespace"] for manifest in objects}
    assert namespace.startswith("ratchet")


def test_no_object_holds_a_secret(objects):
    assert not those(objects, "Secret")
    for name, value in variables(objects).items():
        assert not SECRET.search(name) or value.startswith(("file:", "env:")), f"{name} holds what only a secret may"
    assert not re.search(r"://[^/\s]*:[^/\s]*@|PRIVATE KEY", yaml.safe_dump_all(objects))


def test_every_secret_that_a_setting_refers_to_is_mounted(objects):
    references = [value.removeprefix("file:") for value in variables(objects).values() if value.startswith("file:")]
    assert len(references) == 3
    for path in references:
        volume = volume_at(objects, path)
        assert path in {f"{volume['mount']['mountPath']}/{item['path']}" for item in volume["secret"]["items"]}
        assert volume["mount"]["readOnly"]


def test_the_gateway_writes_only_where_it_may(objects):
    found = variables(objects)
    for name in ("RATCHET_HOME", "RATCHET_JOURNAL"):
        assert volume_at(objects, found[name])["emptyDir"]["sizeLimit"], name
    assert volume_at(objects, "/tmp/x")["emptyDir"]["sizeLimit"]
    claim = only(objects, "PersistentVolumeClaim")["metadata"]["name"]
    for name in ("RATCHET_TRAFFIC", "RATCHET_AUDIT_HEAD"):
        assert volume_at(objects, found[name])["persistentVolumeClaim"]["claimName"] == claim, name


def test_every_replica_can_mount_the_shared_volume(objects, overlay):
    mode = "ReadWriteOnce" if overlay in LAPTOP else "ReadWriteMany"
    assert only(objects, "PersistentVolumeClaim")["spec"]["accessModes"] == [mode]


def test_every_variable_is_a_setting_or_an_option_and_its_value_can_be_used(objects, monkeypatch):
    found = {name: value for name, value in variables(objects).items() if name.startswith("RATCHET_")}
    known = {f"RATCHET_{name.upper()}" for name in Settings.model_fields}
    known |= {str(option.envvar) for option in SERVE.params}
    assert not set(found) - known
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    settings = load_settings()
    assert str(settings.traffic_folder()) == found["RATCHET_TRAFFIC"]
    assert settings.tracking() == found["RATCHET_TRACKING_URI"]
    assert settings.traffic_retention_days == int(found["RATCHET_TRAFFIC_RETENTION_DAYS"])


def test_no_container_is_root_or_can_become_it(objects):
    pod = template(objects)["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert not [volume for volume in pod["volumes"] if "hostPath" in volume]
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert not context.get("privileged")
        assert context.get("runAsNonRoot", True)
        assert context.get("runAsUser", 1)


def test_the_gateway_has_no_token_of_the_cluster(objects):
    account = only(objects, "ServiceAccount")
    assert account["automountServiceAccountToken"] is False
    assert template(objects)["spec"]["automountServiceAccountToken"] is False
    assert template(objects)["spec"]["serviceAccountName"] == account["metadata"]["name"]


def test_the_cluster_adds_no_variable_that_reads_as_one_of_ratchet(objects):
    assert template(objects)["spec"]["enableServiceLinks"] is False


def test_probes_ask_the_port_that_the_gateway_listens_on(objects):
    container = gateway(objects)
    (port,) = container["ports"]
    assert container["command"] == ["ratchet", "serve"]
    options = SERVE.make_context("serve", list(container["args"])).params
    assert (options["host"], options["port"]) == ("0.0.0.0", port["containerPort"])
    assert (port["name"], port["containerPort"]) == ("http", 8080)
    probes = {name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert probes["startupProbe"] == probes["livenessProbe"] == {"path": "/v2/health/live", "port": "http"}
    assert probes["readinessProbe"] == {"path": "/v2/health/ready", "port": "http"}


def test_a_pod_that_goes_has_time_to_drain_and_to_roll_its_journal(objects):
    unseen = gateway(objects)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert unseen >= 3
    drain = SERVE.make_context("serve", list(gateway(objects)["args"])).params["drain"]
    assert template(objects)["spec"]["terminationGracePeriodSeconds"] >= unseen + drain + 30


def test_no_replica_goes_before_its_successor_is_ready(objects):
    strategy = only(objects, "Deployment")["spec"]["strategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


def test_a_drained_node_leaves_replicas_and_can_be_drained(objects):
    assert 1 <= only(objects, "PodDisruptionBudget")["spec"]["minAvailable"] < count(objects)


def test_the_autoscaler_alone_says_how_many(objects, overlay):
    for scaler in those(objects, "HorizontalPodAutoscaler"):
        deployment = only(objects, "Deployment")
        assert scaler["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment["metadata"]["name"]}
        assert "replicas" not in deployment["spec"], "each apply would throw a busy gateway back to this number"
        assert count(objects) < scaler["spec"]["maxReplicas"]
        assert gateway(objects)["resources"]["requests"]["cpu"], "utilization is relative to the request"
    assert count(objects) >= {"production": 3, "kind": 3}.get(overlay, 2)


def test_every_selector_selects_the_pods_of_the_gateway(objects):
    labels = template(objects)["metadata"]["labels"]
    pod = template(objects)["spec"]
    selectors = [only(objects, "Service")["spec"]["selector"]]
    selectors += [manifest["spec"]["podSelector"]["matchLabels"] for manifest in those(objects, "NetworkPolicy")]
    for kind in ("Deployment", "PodDisruptionBudget", "PodMonitor"):
        selectors += [manifest["spec"]["selector"]["matchLabels"] for manifest in those(objects, kind)]
    selectors += [constraint["labelSelector"]["matchLabels"] for constraint in pod["topologySpreadConstraints"]]
    for selector in selectors:
        assert selector
        assert selector.items() <= labels.items()


def test_the_service_and_prometheus_ask_the_port_by_its_name(objects):
    (port,) = only(objects, "Service")["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (8080, gateway(objects)["ports"][0]["name"])
    for monitor in those(objects, "PodMonitor"):
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
        assert (endpoint["port"], endpoint["path"]) == (gateway(objects)["ports"][0]["name"], "/metrics")


def test_the_gateway_is_called_by_clients_and_prometheus_and_calls_what_it_needs(objects):
    (policy,) = [one for one in those(objects, "NetworkPolicy") if one["metadata"]["name"] == "ratchet-gateway"]
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    (ingress,) = policy["spec"]["ingress"]
    assert ingress["ports"] == [{"port": 8080, "protocol": "TCP"}]
    callers = [peer["podSelector"]["matchLabels"] for peer in ingress["from"]]
    assert {name for labels in callers for name in labels} == {"gateway.ratchet/client", "app.kubernetes.io/name"}
    assert all(rule["to"] for rule in policy["spec"]["egress"]), "an empty list is everybody"
    assert {(port["protocol"], port["port"]) for rule in policy["spec"]["egress"] for port in rule["ports"]} == POLICY_EGRESS


def test_only_a_laptop_has_more_than_one_policy(objects, overlay):
    assert len(those(objects, "NetworkPolicy")) == (2 if overlay in LAPTOP else 1)


def test_the_image_is_the_one_that_the_lock_names(objects, overlay):
    locked = yaml.safe_load((ROOT / "images.lock.yaml").read_text(encoding="utf-8"))["images"]
    image = gateway(objects)["image"]
    assert re.split("[@:]", image)[0] == re.split("[@:]", locked["tabular"])[0].replace("tabular", "gateway")
    if "gateway" in locked and overlay not in LAPTOP:
        assert image == locked["gateway"]


def test_every_object_says_what_it_is_part_of(objects):
    for manifest in objects:
        labels = {name.rpartition("/")[2]: value for name, value in manifest["metadata"]["labels"].items()}
        assert labels == {"name": "ratchet", "component": "gateway", "part-of": "ratchet"}, manifest["kind"]


def test_the_readme_names_every_overlay_and_every_secret(objects, overlay):
    text = (MANIFESTS / "README.md").read_text(encoding="utf-8")
    assert f"`overlays/{overlay}`" in text
    for volume in template(objects)["spec"]["volumes"]:
        for item in volume.get("secret", {}).get("items", []):
            assert f"`{item['key']}`" in text
