"""What a run refers to: made once, found again, never overwritten."""

from collections.abc import Callable
from typing import Any

import pytest

from ratchet.errors import SubmissionError
from ratchet.submit.kubeflow.calls import Patience
from ratchet.submit.kubeflow.submission import submit_kubeflow
from ratchet.submit.parameters import CompiledPipeline
from ratchet.submit.submitted import Submitted
from tests.kubeflow import Cut, Kubeflow, LoginPage, Rival

pytestmark = pytest.mark.slow  # a real client and a server

ARGUMENTS = {"model": "fraud"}
Submit = Callable[..., Submitted]


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def submit(place: dict[str, Any], rollout: CompiledPipeline, patience: Patience, told: list[str]) -> Submit:
    return lambda: submit_kubeflow(rollout, rollout.arguments(ARGUMENTS), place, wait=True, tell=told.append, patience=patience)


def test_a_second_submission_uses_what_is_there_and_has_a_run_of_its_own(kubeflow: Kubeflow, submit: Submit, told: list[str]) -> None:
    first, second = submit(), submit()
    assert first.run_id != second.run_id
    assert [len(shelf) for shelf in (kubeflow.pipelines, kubeflow.versions, kubeflow.experiments, kubeflow.runs)] == [1, 1, 1, 2]
    assert len(kubeflow.uploads) == 1
    assert any("there already" in line for line in told)


def test_a_retry_never_takes_another_submission_s_run_for_its_own(kubeflow: Kubeflow, submit: Submit) -> None:
    first = submit()
    kubeflow.faults["create run"] = [Cut(after=False)]
    assert submit().run_id != first.run_id
    assert len(kubeflow.runs) == 2


def test_a_server_that_knows_no_filters_is_read_by_exact_names(kubeflow: Kubeflow, submit: Submit) -> None:
    kubeflow.filters = False
    kubeflow.pipelines["other"] = {"pipeline_id": "other", "display_name": "rollout 2"}
    kubeflow.experiments["other"] = {"experiment_id": "other", "display_name": "fraud 2"}
    submit()
    kubeflow.faults["create run"] = [Cut(after=True)]
    done = submit()
    assert list(kubeflow.runs)[1] == done.run_id
    assert [len(shelf) for shelf in (kubeflow.pipelines, kubeflow.experiments, kubeflow.runs)] == [2, 2, 2]


def test_a_changed_file_is_another_version(
    kubeflow: Kubeflow, place: dict[str, Any], rollout: CompiledPipeline, patience: Patience, tmp_path: Any
) -> None:
    changed = tmp_path / "rollout.yaml"
    changed.write_bytes(rollout.path.read_bytes().replace(b"Advance the rollout", b"Advance it"))
    for pipeline in (rollout, CompiledPipeline.read(changed)):
        submit_kubeflow(pipeline, pipeline.arguments(ARGUMENTS), place, wait=False, tell=lambda line: None, patience=patience)
    (one, other) = kubeflow.versions.values()
    assert one["display_name"] != other["display_name"]
    assert [run["pipeline_version_reference"]["pipeline_version_id"] for run in kubeflow.runs.values()] == list(kubeflow.versions)


def test_an_archived_experiment_is_refused_with_what_to_do(kubeflow: Kubeflow, submit: Submit) -> None:
    submit()
    for experiment in kubeflow.experiments.values():
        experiment["storage_state"] = "ARCHIVED"
    with pytest.raises(SubmissionError, match=r"experiment 'fraud' .* is archived; restore it there"):
        submit()


@pytest.mark.parametrize("route", ["create pipeline", "upload version", "create experiment"])
def test_what_another_job_made_meanwhile_is_used(kubeflow: Kubeflow, submit: Submit, route: str) -> None:
    kubeflow.faults[route] = [Rival()]
    assert submit().exit_status == 0
    assert [len(shelf) for shelf in (kubeflow.pipelines, kubeflow.versions, kubeflow.experiments)] == [1, 1, 1]


def test_a_login_page_is_not_taken_for_an_answer(kubeflow: Kubeflow, submit: Submit) -> None:
    kubeflow.faults["list pipelines"] = [LoginPage()]
    kubeflow.faults["create pipeline"] = [LoginPage()]
    with pytest.raises(SubmissionError, match=r"without an id when asked to make the pipeline 'rollout': a login page, most likely"):
        submit()
