"""How a run with new data begins: the champion is found, the data read and checked, and only what is usable goes on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kfp import dsl
from kfp.dsl import PipelineTask

from components.data_processing.features.component import features
from components.data_processing.ingest.component import ingest
from components.data_processing.validate.component import validate
from components.deployment.champion.component import champion
from components.deployment.hold.component import hold
from components.evaluation.drift_check.component import drift_check
from pipelines.steps import effect, pure, read

READING = ("source", "format", "encoding", "query", "version", "join", "time_column", "since", "until")
RULES = ("target", "time_column", "key_columns", "schema_text", "accept_new_columns", "max_quarantined_share")
FEATURES = (
    *("target", "positive", "time_column", "key_columns", "group_column", "expressions", "windows", "impute", "drop_columns"),
    *("label_delay", "validation_share", "holdout_share", "train_from", "train_until", "holdout_from", "holdout_until"),
    *("known_by", "split_column"),
)


@contextmanager
def usable_data(given: Mapping[str, Any], run_id: Any) -> Iterator[tuple[PipelineTask, PipelineTask]]:
    """Add the steps before training; what is added within the block runs where the data is usable, and a hold where it is not.

    Args:
        given: The pipeline's own parameters by name, with all of ``READING`` and ``RULES``, and model and settings.
        run_id: Id of the run.

    Yields:
        The tasks that found the champion and checked the data.
    """
    ends = {"model": given["model"], "run_id": run_id, "settings": given["settings"]}
    live = read(champion(**ends), "Find the champion")
    data = read(ingest(**{name: given[name] for name in READING}), "Ingest")
    rules = {name: given[name] for name in RULES}
    checked = pure(validate(data=data.outputs["data"], champion_schema=live.outputs["schema"], **rules), "Validate")
    with dsl.If(checked.outputs["verdict"] == "invalid", name="data-invalid"):
        effect(hold(verdict="invalid", reason=checked.outputs["reason"], **ends), "Hold: the data is invalid")
    with dsl.Else(name="data-usable"):
        yield live, checked


def make_features(given: Mapping[str, Any], live: PipelineTask, checked: PipelineTask, **how: Any) -> PipelineTask:
    """Add the features, and beside them the check for drift against what the champion learnt from.

    Args:
        given: The pipeline's own parameters by name, with all of ``FEATURES``, and drift_threshold.
        live: The task that found the champion.
        checked: The task that checked the data.
        how: Further parameters of `features`.

    Returns:
        The task that made the features.
    """
    how |= {name: given[name] for name in FEATURES}
    table = pure(features(data=checked.outputs["clean"], champion=live.outputs["package"], **how), "Make features")
    compared = {"reference": live.outputs["reference"], "current": table.outputs["table"], "model": live.outputs["package"]}
    pure(drift_check(threshold=given["drift_threshold"], **compared), "Check drift")
    return table
