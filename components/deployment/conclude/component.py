from kfp import dsl
from kfp.dsl import Markdown, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def conclude(
    summary: Output[Markdown],
    model: str,
    run_id: str,
    settings: str = "",
):
    """End a run, however it went: take back what it promoted and did not verify, then tell what came of it. Never fails.

    Args:
        model: Name of the deployment.
        run_id: Id of this run.
        settings: URI of a settings file without secrets; empty takes the environment.
        summary: The outcome, and every step's verdict with its reason.
    """
    from ratchet.delivery.conclusion import conclude

    conclude(model, run_id=run_id, settings_uri=settings).write(summary.path)
