from typing import NamedTuple

from kfp import dsl
from kfp.dsl import HTML, Markdown, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def advance_rollout(
    report: Output[HTML],
    summary: Output[Markdown],
    model: str,
    run_id: str,
    version: str = "",
    generation: int = 0,
    wait: str = "0s",
    as_of: str = "",
    settings: str = "",
) -> NamedTuple("Outputs", [("verdict", str), ("outcome", str), ("reason", str), ("version", str), ("generation", int), ("run_id", str)]):
    """Look at the live evidence of a rollout and take at most the next step. Any run may go on where another one stopped.

    Args:
        model: Name of the deployment.
        run_id: Id of this run.
        version: Version that this run registered; empty where it only advances what is under way.
        generation: As this run read it; used where there is no live trial.
        wait: How long to wait for evidence at most, e.g. "10m"; each look takes at most one step.
        as_of: Count only what was known by this time (ISO 8601), in a rehearsal with recorded traffic. Empty for now.
        settings: URI of a settings file without secrets; empty takes the environment.
        report: Each test's wealth over time, the traffic, the verdict and why.
        summary: The verdict, why, and what each gate says.

    Returns:
        verdict: "promote", "abort", "hold", "pending" or "rollback".
        outcome: The same as a run's word: "promote", "rejected", "held", "pending" or "rolled back".
        reason: Why.
        version: Version that is on trial; empty when there is none.
        generation: Of the deployment as it was judged; a promotion is tied to it.
        run_id: The id of this run, by which what it decided is found in the ledger.
    """
    from ratchet.delivery.ledger import Ledger
    from ratchet.delivery.trial_run import advance_in_run
    from ratchet.settings import load_settings

    ledger = Ledger.open(load_settings(settings))
    done = advance_in_run(model, run_id=run_id, version=version, generation=int(generation), wait=wait, as_of=as_of, ledger=ledger)
    done.write_html(report.path)
    done.write_markdown(summary.path)
    return (done.verdict, done.outcome, done.reason, done.version, done.generation, run_id)
