from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Markdown, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def hold(
    summary: Output[Markdown],
    model: str,
    run_id: str,
    verdict: str,
    reason: str,
    settings: str = "",
) -> NamedTuple("Outputs", [("verdict", str), ("reason", str)]):
    """Record that the champion stays, and why.

    Args:
        model: Name of the deployment.
        run_id: Id of this run.
        verdict: "invalid" (the data), "rejected" (the challenger is not better), "held" (no decision could be made), "pending" (a later
            run goes on) or "rolled back" (what was promoted before is taken back).
        reason: Why, as a person reads it.
        settings: URI of a settings file without secrets; empty takes the environment.
        summary: The word, why, and what goes on from here.

    Returns:
        verdict: The word that stands for this run.
        reason: Why.
    """
    from ratchet.delivery.holding import hold, hold_page
    from ratchet.delivery.ledger import Ledger
    from ratchet.settings import load_settings

    ledger = Ledger.open(load_settings(settings))
    held = hold(model, run_id=run_id, verdict=verdict, reason=reason, ledger=ledger)
    hold_page(held, ledger.deployment(model)).write_markdown(summary.path)
    return (held.verdict, held.reason)
