from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Markdown, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def begin_rollout(
    summary: Output[Markdown],
    model: str,
    version: str,
    generation: int,
    run_id: str,
    why: str,
    strategy: str = "canary",
    policy: dict = {},
    settings: str = "",
) -> NamedTuple("Outputs", [("verdict", str), ("reason", str), ("generation", int)]):
    """Put a registered version on trial beside the champion, in shadow first, by a policy that is fixed from here on.

    Args:
        model: Name of the deployment.
        version: Version in the registry.
        generation: As `champion` read it at the start of the run.
        run_id: Id of this run.
        why: The reason, for the audit trail.
        strategy: "canary", "ab", "blue_green", or "direct" for no live trial.
        policy: Anything else of the policy, e.g. {"steps": [5, 50], "label_delay": "7d", "margin": 0.005, "key": "customer_id"}.
        settings: URI of a settings file without secrets; empty takes the environment.
        summary: What was begun.

    Returns:
        verdict: "begun"; "direct" when there is nothing to try it against; "unfit" when it does not load; "held" when another is on trial.
        reason: Why.
        generation: Of the deployment afterwards.
    """
    from ratchet.delivery.beginning import begin_rollout
    from ratchet.delivery.ledger import Ledger
    from ratchet.delivery.policy import Policy
    from ratchet.settings import load_settings

    rules, ledger = Policy.parse({"strategy": strategy, **policy}), Ledger.open(load_settings(settings))
    begun = begin_rollout(model, version, generation=int(generation), run_id=run_id, why=why, policy=rules, ledger=ledger)
    begun.page(version).write_markdown(summary.path)
    return (begun.verdict, begun.reason, begun.generation)
