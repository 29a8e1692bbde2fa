"""The small recurring job: go on with a rollout that is under way, as labels arrive, and watch what was promoted."""

from kfp import dsl

from components.deployment.advance_rollout.component import advance_rollout
from components.deployment.conclude.component import conclude
from pipelines.endings import carry_out
from pipelines.steps import effect


@dsl.pipeline(
    name="rollout",
    description="Look at the live evidence of the rollout that is under way, take at most the next step, and promote, abort or wait.",
)
def rollout(model: str, wait: str = "0s", as_of: str = "", settings: str = ""):
    """Advance a rollout; promote and verify where the evidence is in.

    Args:
        model: Name of the deployment, e.g. "fraud".
        wait: How long to wait for evidence at most, e.g. "10m".
        as_of: Count only what was known by this time (ISO 8601), in a rehearsal with recorded traffic. Empty for now.
        settings: URI of a settings file without secrets. Empty for the environment's.
    """
    run_id = dsl.PIPELINE_JOB_ID_PLACEHOLDER
    exit_task = effect(conclude(model=model, run_id=run_id, settings=settings), "Conclude")
    with dsl.ExitHandler(exit_task, name="run"):
        advanced = effect(advance_rollout(model=model, run_id=run_id, wait=wait, as_of=as_of, settings=settings), "Advance the rollout")
        carry_out(advanced, version=advanced.outputs["version"], model=model, run_id=run_id, settings=settings)
