"""How a comparison's answer and a rollout's are carried out: try the model live, promote and verify, or leave the champion and say why."""

from collections.abc import Mapping
from typing import Any

from kfp import dsl
from kfp.dsl import PipelineTask

from components.deployment.advance_rollout.component import advance_rollout
from components.deployment.begin_rollout.component import begin_rollout
from components.deployment.hold.component import hold
from components.deployment.promote.component import promote
from components.deployment.register.component import register
from components.deployment.rollback.component import rollback
from components.deployment.verify.component import verify
from pipelines.steps import effect, read


def release(given: Mapping[str, Any], judged: PipelineTask, *, run_id: Any, generation: Any, registering: Mapping[str, Any]) -> None:
    """Add the branches that follow a `compare`: register the challenger and try it on live traffic, or hold.

    Args:
        given: The pipeline's own parameters by name, with model, strategy, policy, wait and settings.
        judged: The task that compared.
        run_id: Id of the run.
        generation: Of the deployment, as `champion` read it.
        registering: What `register` takes of the challenger, by name: challenger, reference, schema, primary_metric.
    """
    reason = judged.outputs["reason"]
    ends = {"model": given["model"], "run_id": run_id, "settings": given["settings"]}
    trial = {"why": reason, "strategy": given["strategy"], "policy": given["policy"]}
    with dsl.If(judged.outputs["verdict"] == "release", name="released"):
        registered = effect(register(generation=generation, **registering, **ends), "Register")
        version = registered.outputs["version"]
        begun = effect(begin_rollout(version=version, generation=generation, **trial, **ends), "Begin the rollout")
        advanced = effect(
            advance_rollout(version=version, generation=begun.outputs["generation"], wait=given["wait"], **ends),
            "Advance the rollout",
        )
        carry_out(advanced, version=version, **ends)
    with dsl.Else(name="not-better"):
        effect(hold(verdict="rejected", reason=reason, **ends), "Hold: no better than the champion")


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
        # kfp.local looks for what a condition names among the inputs of the group around it, where an output of a neighbour is not: the
        # group in between, which is always entered, is given it as an input.
        with dsl.If(advanced.outputs["verdict"] == "promote", name="verified"):  # noqa: SIM117
            with dsl.If(healthy.outputs["verdict"] == "rollback", name="unhealthy"):
                effect(rollback(why=healthy.outputs["reason"], **ends), "Roll back")
    with dsl.Elif(advanced.outputs["verdict"] == "pending", name="pending"):
        effect(hold(verdict="pending", reason=reason, **ends), "Pending: a later run goes on")
    with dsl.Else(name="champion-stays"):
        effect(hold(verdict=advanced.outputs["outcome"], reason=reason, **ends), "The champion stays")
