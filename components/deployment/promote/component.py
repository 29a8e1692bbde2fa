from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Markdown, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def promote(
    summary: Output[Markdown],
    model: str,
    version: str,
    generation: int,
    run_id: str,
    why: str,
    settings: str = "",
) -> NamedTuple("Outputs", [("champion", str), ("verdict", str), ("reason", str)]):
    """Make a registered version the champion, if the deployment is still what this run compared with.

    Args:
        model: Name of the deployment.
        version: Version in the registry.
        generation: As `champion` read it at the start of the run.
        run_id: Id of this run.
        why: The reason, for the audit trail.
        settings: URI of a settings file without secrets; empty takes the environment.
        summary: What was done, and what stands now.

    Returns:
        champion: Version that is live afterwards; empty when there is none.
        verdict: "promoted", or "held" when somebody else changed the deployment since the run began.
        reason: Why.
    """
    from ratchet.delivery.ledger import Ledger
    from ratchet.delivery.promotion import promote_in_run
    from ratchet.settings import load_settings

    ledger = Ledger.open(load_settings(settings))
    change = promote_in_run(model, version, generation=int(generation), run_id=run_id, why=why, ledger=ledger)
    change.page("Promote").write_markdown(summary.path)
    return (change.champion, change.word, change.reason)
