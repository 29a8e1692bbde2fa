from typing import NamedTuple

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def hold(
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

    Returns:
        verdict: The word that stands for this run.
        reason: Why.
    """
    from ratchet.delivery.holding import hold
    from ratchet.delivery.ledger import Ledger
    from ratchet.settings import load_settings

    held = hold(model, run_id=run_id, verdict=verdict, reason=reason, ledger=Ledger.open(load_settings(settings)))
    return (held.verdict, held.reason)
