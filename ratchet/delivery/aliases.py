"""MLflow's aliases ``champion``, ``previous`` and ``challenger``: a projection of the ledger, for people and tools that look there.

They have no compare-and-swap, so they are never read to decide anything. After writing them the ledger is read again, and they are
written again when it moved: whoever writes last has read last. A writer that dies on the way leaves them behind; the ledger
notes which generation they show, so the next run sees that at no cost and repairs them.
"""

from ratchet.delivery.deployment import Deployment
from ratchet.delivery.ledger import Ledger

ROLES = ("champion", "previous", "challenger")


def reconcile_all(ledger: Ledger, name: str) -> None:
    """Make the aliases of a deployment, and of the encoder that goes with it, show what the ledger says.

    Raises:
        RegistryError: MLflow refuses.
    """
    for each in (name, *ledger.partners(name)):
        reconcile(ledger, each)


def reconcile(ledger: Ledger, name: str, *, always: bool = False) -> bool:
    """Make the aliases show what the ledger says.

    Args:
        ledger: The truth.
        name: Name of the deployment.
        always: Write them even where the ledger notes that they are right, e.g. because somebody moved one by hand.

    Returns:
        Whether anything was written.

    Raises:
        RegistryError: MLflow refuses.
    """
    state = ledger.deployment(name)
    if not state.generation or (not always and ledger.projected(name) >= state.generation):
        return False
    while True:
        _write(ledger, state)
        ledger.note_projected(name, state.generation)
        now = ledger.deployment(name)
        if now.generation == state.generation:
            return True
        state = now


def _write(ledger: Ledger, state: Deployment) -> None:
    from ratchet.delivery.mlflow_store import open_client

    with open_client(ledger.settings) as client:
        aliases = client.get_registered_model(state.name).aliases
        for role in ROLES:
            model = getattr(state, role)
            if model is not None and str(aliases.get(role)) != model.version:
                client.set_registered_model_alias(state.name, role, model.version)
            elif model is None and role in aliases:
                client.delete_registered_model_alias(state.name, role)
            ledger.checkpoint(f"alias {role} written")
