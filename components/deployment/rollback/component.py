from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Markdown, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def rollback(
    summary: Output[Markdown],
    model: str,
    run_id: str,
    why: str,
    settings: str = "",
) -> NamedTuple("Outputs", [("champion", str), ("verdict", str), ("reason", str)]):
    """Take back what this run promoted, if it is still live: the champion before it stands again.

    Args:
        model: Name of the deployment.
        run_id: Id of this run.
        why: The reason, for the audit trail.
        settings: URI of a settings file without secrets; empty takes the environment.
        summary: What was done, and what stands now.

    Returns:
        champion: Version that is live afterwards; empty when there is none.
        verdict: "rolled back", or "held" when this run had promoted nothing.
        reason: Why.
    """
    from ratchet.delivery.ledger import Ledger
    from ratchet.delivery.promotion import rollback_in_run
    from ratchet.settings import load_settings

    change = rollback_in_run(model, run_id=run_id, why=why, ledger=Ledger.open(load_settings(settings)))
    change.page("Roll back").write_markdown(summary.path)
    return (change.champion, change.word, change.reason)
