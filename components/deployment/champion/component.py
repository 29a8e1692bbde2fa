from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Model, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def champion(
    package: Output[Model],
    reference: Output[Dataset],
    schema: Output[Artifact],
    model: str,
    run_id: str,
    settings: str = "",
) -> NamedTuple("Outputs", [("found", str), ("version", str), ("generation", int), ("run_id", str)]):
    """Fetch what is live: the champion's model package, a sample of its training data, its schema. Settles what a dead run left.

    Args:
        model: Name of the deployment, e.g. "fraud".
        run_id: Id of this run; its verdicts are recorded under it.
        settings: URI of a settings file without secrets; empty takes the environment.
        package: The champion's model package, or the mark that there is none.
        reference: A sample of the data that it was trained on, or the mark that there is none.
        schema: The schema of that data as YAML; an empty mapping when there is none.

    Returns:
        found: "yes" or "no".
        version: Version of the champion in the registry; empty when there is none.
        generation: Number of changes of the deployment so far; the effects of this run are tied to it.
        run_id: As given, so that who waits for the run can read which one it is.
    """
    from ratchet.delivery.champion import find_champion
    from ratchet.delivery.ledger import Ledger
    from ratchet.settings import load_settings

    ledger = Ledger.open(load_settings(settings))
    live = find_champion(
        model, run_id=run_id, ledger=ledger, model_path=package.path, reference_path=reference.path, schema_path=schema.path
    )
    package.metadata.update({"version": live.version, "digest": live.digest, "found": live.found})
    return (live.found, live.version, live.generation, run_id)
