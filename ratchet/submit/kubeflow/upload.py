"""What a run refers to on a Kubeflow server: the pipeline, the version that is this file, and the experiment.

Each is looked for by its name, and made where it is not there. None is ever changed: a version that is there is this file, because its name
has the file's digest.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ratchet.errors import SubmissionError
from ratchet.submit.kubeflow.calls import Calls, equals
from ratchet.submit.kubeflow.installation import Installation
from ratchet.submit.kubeflow.versions import version_name
from ratchet.submit.parameters import CompiledPipeline

if TYPE_CHECKING:
    from kfp import Client


@dataclass(frozen=True)
class Ids:
    """What the server calls the things that a run refers to."""

    pipeline: str
    version: str
    experiment: str

    def reference(self) -> Any:
        """Return the part of a message that names the version."""
        import kfp_server_api

        return kfp_server_api.V2beta1PipelineVersionReference(pipeline_id=self.pipeline, pipeline_version_id=self.version)


def unknown_ids(pipeline: CompiledPipeline, installation: Installation) -> Ids:
    """Return what stands for the ids in a request that is only shown."""
    version = version_name(pipeline.path)
    return Ids(f"<id of pipeline {pipeline.name}>", f"<id of version {version}>", f"<id of experiment {installation.experiment}>")


def described(pipeline: CompiledPipeline, installation: Installation) -> dict[str, Any]:
    """Return where a submission goes and which file it uploads."""
    return {
        "host": installation.host,
        "pipeline": {"display_name": pipeline.name, "name": pipeline.name, **namespaced(installation)},
        "version": {"display_name": version_name(pipeline.path), "uploadfile": str(pipeline.path)},
        "experiment": {"display_name": installation.experiment, **namespaced(installation)},
    }


def prepare(client: "Client", calls: Calls, pipeline: CompiledPipeline, installation: Installation, tell: Callable[[str], None]) -> Ids:
    """Find the pipeline, its version and the experiment; make what is not there.

    Raises:
        SubmissionError: the server refused or cannot be reached.
    """
    import kfp_server_api

    plan = described(pipeline, installation)

    def find_pipeline() -> Any:
        return named(
            pipeline.name,
            calls.ask(
                f"list pipelines named {pipeline.name!r}",
                client.pipelines.pipeline_service_list_pipelines,
                filter=equals(pipeline.name),
                **namespaced(installation),
            ).pipelines,
        )

    def find_version() -> Any:
        return named(
            version,
            calls.ask(
                f"list versions of pipeline {pipeline.name!r}",
                client.pipelines.pipeline_service_list_pipeline_versions,
                pipeline_id=pipeline_id,
                filter=equals(version),
            ).pipeline_versions,
        )

    what = f"make the pipeline {pipeline.name!r}"
    body = kfp_server_api.V2beta1Pipeline(**plan["pipeline"])
    made = find_pipeline() or calls.make(what, find_pipeline, client.pipelines.pipeline_service_create_pipeline, pipeline=body)
    pipeline_id = identified(made.pipeline_id, what, installation)
    version = plan["version"]["display_name"]
    found = find_version()
    what = f"upload version {version!r} of pipeline {pipeline.name!r}"
    upload = {"uploadfile": str(pipeline.path), "name": version, "display_name": version, "pipelineid": pipeline_id}
    stored = found or calls.make(what, find_version, client.pipeline_uploads.upload_pipeline_version, **upload)
    tell(f"pipeline {pipeline.name}, version {version}" + (" (there already)" if found else " (uploaded)"))
    experiment = _experiment(client, calls, installation)
    return Ids(pipeline_id, identified(stored.pipeline_version_id, what, installation), experiment)


def _experiment(client: "Client", calls: Calls, installation: Installation) -> str:
    import kfp_server_api

    name = installation.experiment

    def find() -> Any:
        listed = calls.ask(
            f"list experiments named {name!r}",
            client.experiments.experiment_service_list_experiments,
            filter=equals(name),
            **namespaced(installation),
        )
        return named(name, listed.experiments)

    what = f"make the experiment {name!r}"
    body = kfp_server_api.V2beta1Experiment(display_name=name, **namespaced(installation))
    made = find() or calls.make(what, find, client.experiments.experiment_service_create_experiment, experiment=body)
    if made.storage_state == "ARCHIVED":
        raise SubmissionError(f"experiment {name!r} on {installation.host} is archived; restore it there, or name another in 'experiment'")
    return identified(made.experiment_id, what, installation)


def identified(value: str | None, what: str, installation: Installation) -> str:
    """Return the id in an answer; one without is a login page, which comes with status 200."""
    if not value:
        raise SubmissionError(
            f"Kubeflow at {installation.host} answered without an id when asked to {what}: a login page, most likely; "
            "check 'host' and 'auth' in the section 'kubeflow'"
        )
    return value


def namespaced(installation: Installation) -> dict[str, Any]:
    """Return the argument that names the user's namespace; none for a server without users."""
    return {"namespace": installation.namespace} if installation.namespace else {}


def named(name: str, items: Iterable[Any] | None) -> Any:
    """Return the one of exactly this name, or None; a server that ignores the filter lists others, too."""
    return next((item for item in items or [] if item.display_name == name), None)
