"""What is live for a deployment, fetched for the steps of a run: the model package, a sample of what it was trained on, its schema.

All three artifacts are always written, because a step that may meet no champion still needs an input. Before looking, what an
earlier run left unfinished is settled.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from ratchet.data.absent import write_absent
from ratchet.delivery.aliases import reconcile_all
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.storage import fetch
from ratchet.delivery.verification import settle
from ratchet.errors import RegistryError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Champion:
    """What was found.

    Attributes:
        found: "yes" or "no".
        version: Version of the champion; empty when there is none.
        generation: Generation of the deployment as read; effects of this run are tied to it.
        digest: Digest of the package; empty when there is none.
    """

    found: str
    version: str
    generation: int
    digest: str


def find_champion(
    name: str, *, run_id: str, ledger: Ledger, model_path: str | Path, reference_path: str | Path, schema_path: str | Path
) -> Champion:
    """Write the champion's package, reference and schema, or the marks that there is none.

    Args:
        name: Name of the deployment.
        run_id: The run that asks.
        ledger: The ledger.
        model_path: Folder to appear: the package.
        reference_path: Folder to appear: a Dataset.
        schema_path: File to appear: YAML; an empty mapping when there is no champion.

    Raises:
        PackageError: the champion's stored package is damaged.
        RegistryError: it is not there.
    """
    for sentence in settle(name, run_id=run_id, ledger=ledger):
        log.warning("%s", sentence)
    for each in (name, *ledger.partners(name)):
        ledger.repair_head(each)
    try:
        reconcile_all(ledger, name)
    except RegistryError as error:
        log.warning("MLflow's aliases of %r could not be brought up to the ledger: %s", name, error)
    state = ledger.deployment(name)
    if state.champion is None:
        reason = f"deployment {name!r} has no champion yet"
        write_absent(model_path, reason)
        write_absent(reference_path, reason)
        Path(schema_path).parent.mkdir(parents=True, exist_ok=True)
        Path(schema_path).write_text(f"# {reason}\n{{}}\n", encoding="utf-8")
        return Champion("no", "", state.generation, "")
    fetch(state.champion, settings=ledger.settings, model_path=model_path, reference_path=reference_path, schema_path=schema_path)
    return Champion("yes", state.champion.version, state.generation, state.champion.digest)
