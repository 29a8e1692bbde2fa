"""How a rollout's answer is carried out: promote and verify, or leave the champion and say why."""

from typing import Any

from kfp import dsl
from kfp.dsl import PipelineTask

from components.deployment.hold.component import hold
from components.deployment.promote.component import promote
from components.deployment.rollback.component import rollback
from components.deployment.verify.component import verify
from pipelines.steps import effect, read


def carry_out(advanced: PipelineTask, *, version: Any, model: Any, run_id: Any, settings: Any) -> None:
    """Add the branches that follow an `advance_rollout`.

    Args:
        advanced: Its task.
        version: Version that a promotion makes the champion.
        model: Name of the deployment.
        run_id: Id of the run.
        settings: URI of a settings file.
    """
    reason = advanced.outputs["reason"]
    ends = {"model": model, "run_id": run_id, "settings": settings}
    with dsl.If(advanced.outputs["verdict"] == "promote", name="promote"):
        promoted = effect(promote(version=version, generation=advanced.outputs["generation"], why=reason, **ends), "Promote")
        healthy = read(verify(**ends).after(promoted), "Verify")
        with dsl.If(healthy.outputs["verdict"] == "rollback", name="unhealthy"):
            effect(rollback(why=healthy.outputs["reason"], **ends), "Roll back")
    with dsl.Elif(advanced.outputs["verdict"] == "pending", name="pending"):
        effect(hold(verdict="pending", reason=reason, **ends), "Pending: a later run goes on")
    with dsl.Else(name="champion-stays"):
        effect(hold(verdict=advanced.outputs["outcome"], reason=reason, **ends), "The champion stays")
