from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Markdown, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def verify(
    summary: Output[Markdown],
    model: str,
    run_id: str,
    settings: str = "",
) -> NamedTuple("Outputs", [("verdict", str), ("reason", str)]):
    """Load what this run promoted as a server would, in a fresh process, and replay its recorded rows.

    Args:
        model: Name of the deployment.
        run_id: Id of this run.
        settings: URI of a settings file without secrets; empty takes the environment.
        summary: What was loaded, and how far its predictions are from the recorded ones.

    Returns:
        verdict: "healthy", or "rollback" when it does not load, or predicts other than recorded (to 1e-9; an error to 1e-5).
        reason: Why.
    """
    from ratchet.delivery.ledger import Ledger
    from ratchet.delivery.verification import verify
    from ratchet.settings import load_settings

    found = verify(model, run_id=run_id, ledger=Ledger.open(load_settings(settings)))
    found.page().write_markdown(summary.path)
    return (found.verdict, found.reason)
