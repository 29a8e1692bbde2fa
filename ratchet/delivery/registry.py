"""Registered model versions: what MLflow keeps of a model, and how it gets there exactly once.

A version is found by the key of the operation that made it, so registering again after a crash goes on where it stopped: the
same run, the same version. The package is logged as it is, with the signature and requirements that it carries; nothing is inferred.
"""

import math
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratchet.delivery.deployment import ModelRef, check_name
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.mlflow_store import is_embedded, open_client, registry_lock
from ratchet.delivery.operations import operation_key
from ratchet.delivery.storage import check_package, describe_package, write_beside
from ratchet.delivery.transitions import Checkpoint
from ratchet.errors import RegistryError, UnknownDeploymentError, nearest
from ratchet.settings import Settings

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

    from ratchet.models.package import Description

OPERATION = "ratchet.operation"
DIGEST = "ratchet.digest"
REFERENCE_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a model comes from, for the registry.

    Attributes:
        deployment: Name of the deployment that it is meant for.
        generation: Generation that the run read at its start.
        run_id: The pipeline run.
        metrics: Numbers by name; what is not finite is left out.
        tags: Further facts by name.
    """

    deployment: str
    generation: int
    run_id: str
    metrics: Mapping[str, float]
    tags: Mapping[str, str]


def register_model(
    package_path: str | Path,
    reference_path: str | Path,
    schema_path: str | Path,
    *,
    lineage: Lineage,
    settings: Settings,
    checkpoint: Checkpoint = lambda phase: None,
) -> ModelRef:
    """Register a model package, with its training data's sample and its schema, as a version; once, however often it is run.

    Args:
        package_path: The model package.
        reference_path: Dataset that it was trained on; at most 100,000 rows of it are kept, evenly spaced in its order.
        schema_path: Schema of the data, a YAML file.
        lineage: Where it comes from.
        settings: The installation.
        checkpoint: Called at each named point.

    Returns:
        The version.

    Raises:
        PackageError: the package is damaged.
        RegistryError: MLflow refuses.
        LedgerError: the ledger cannot be reached; it notes the version, so that later steps need not ask MLflow.
    """
    description, digest = describe_package(Path(package_path), settings)
    name = check_name(lineage.deployment)
    key = operation_key("register", name, digest, lineage.generation)
    with open_client(settings) as client, registry_lock(settings, "register"):
        _ensure_model(client, name)
        model = _version_of(client, name, key)
        if model is None:
            run = _ensure_run(client, name, key, settings)
            checkpoint("run created")
            _log(client, run.info.run_id, description, digest, lineage)
            checkpoint("parameters logged")
            _log_artifacts(client, run.info.run_id, Path(package_path), Path(reference_path), Path(schema_path))
            checkpoint("artifacts logged")
            source = run.info.artifact_uri.rstrip("/") + "/model"
            tags = {OPERATION: key, DIGEST: digest, "ratchet.run_id": lineage.run_id}
            client.create_model_version(name, source, run.info.run_id, tags=tags)
            checkpoint("version created")
            model = _version_of(client, name, key)
    if model is None:
        raise RegistryError(f"MLflow made a version of {name!r} and does not show it; run the step again")
    if Path(model.uri.removeprefix("file://")).is_dir():
        check_package(Path(model.uri.removeprefix("file://")), model, settings)
    Ledger.open(settings).note_version(name, model)
    return model


def find_version(name: str, version: str, settings: Settings) -> ModelRef:
    """Return a registered version.

    Raises:
        UnknownDeploymentError: there is no such model or version; the message names those there are.
        RegistryError: the version was not registered by Ratchet, so its digest is not known.
    """
    with open_client(settings) as client:
        versions = {str(found.version): found for found in client.search_model_versions(f"name='{check_name(name)}'")}
    if str(version) not in versions:
        raise UnknownDeploymentError(f"model {name!r} has no version {version!r} in the registry; {nearest(str(version), versions)}")
    return _reference(versions[str(version)])


def _reference(version: Any) -> ModelRef:
    if DIGEST not in version.tags:
        raise RegistryError(
            f"version {version.version} of {version.name!r} has no tag {DIGEST}, so what it holds cannot be verified; "
            "register the package with the 'register' component"
        )
    return ModelRef(str(version.version), version.tags[DIGEST], version.source)


def _version_of(client: "MlflowClient", name: str, key: str) -> ModelRef | None:
    """Find the version that an operation made; the lowest, should a server have been told twice at once."""
    found = client.search_model_versions(f"name='{name}' and tags.`{OPERATION}`='{key}'")
    return _reference(min(found, key=lambda version: int(version.version))) if found else None


def _ensure_model(client: "MlflowClient", name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name, description="Deployed by Ratchet; its aliases are a projection of Ratchet's ledger.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _ensure_run(client: "MlflowClient", name: str, key: str, settings: Settings) -> Any:
    from mlflow.exceptions import MlflowException

    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        own = is_embedded(settings) or bool(settings.artifact_root)
        try:
            identity = client.create_experiment(name, artifact_location=f"{settings.artifacts().rstrip('/')}/{name}" if own else None)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            identity = client.get_experiment_by_name(name).experiment_id
    else:
        identity = experiment.experiment_id
    runs = client.search_runs([identity], f"tags.`{OPERATION}` = '{key}'", max_results=1)
    return runs[0] if runs else client.create_run(identity, tags={OPERATION: key}, run_name=key[:12])


def _log(client: "MlflowClient", run: str, package: "Description", digest: str, lineage: Lineage) -> None:
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    metrics = [Metric(name, float(value), now, 0) for name, value in lineage.metrics.items() if math.isfinite(value)]
    parameters = {"kind": package.kind, "seed": package.seed, **package.parameters}
    tags = {
        **lineage.tags,
        DIGEST: digest,
        "ratchet.training_digest": package.training_digest,
        "ratchet.run_id": lineage.run_id,
        "ratchet.generation": str(lineage.generation),
    }
    if package.encoder is not None and package.encoder.model:
        tags["ratchet.encoder"] = f"{package.encoder.model} version {package.encoder.version}"
    client.log_batch(
        run,
        metrics=metrics,
        params=[Param(name, str(value)[:6000]) for name, value in parameters.items()],
        tags=[RunTag(name, str(value)[:5000]) for name, value in tags.items()],
    )


def _log_artifacts(client: "MlflowClient", run: str, package: Path, reference: Path, schema: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="ratchet-") as scratch:
        _write_sample(reference, Path(scratch) / "sample")
        beside = Path(scratch) / "beside"
        beside.mkdir()
        write_beside(beside, Path(scratch) / "sample", schema)
        client.log_artifacts(run, str(beside), "beside")
    client.log_artifacts(run, str(package), "model")
    client.set_terminated(run, "FINISHED")


def _write_sample(reference: Path, path: Path) -> None:
    from ratchet.data.tables import read_dataset, write_dataset

    frame = read_dataset(reference)
    if frame.height > REFERENCE_ROWS:
        frame = frame[[place * frame.height // REFERENCE_ROWS for place in range(REFERENCE_ROWS)]]
    write_dataset(frame, path, source=str(reference))
