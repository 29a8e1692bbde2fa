from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def register(
    challenger: Input[Model],
    reference: Input[Dataset],
    schema: Input[Artifact],
    model: str,
    run_id: str,
    generation: int,
    primary_metric: float,
    settings: str = "",
) -> NamedTuple("Outputs", [("version", str)]):
    """Register a model package as a version in MLflow, once, with its parameters, metrics, lineage, and what it was trained on.

    Args:
        challenger: The model package.
        reference: The data that it was trained on; a sample is kept beside it.
        schema: The schema of that data.
        model: Name of the deployment, which is the name of the registered model.
        run_id: Id of this run.
        generation: As `champion` read it at the start of the run.
        primary_metric: What `evaluate` found on the holdout.
        settings: URI of a settings file without secrets; empty takes the environment.

    Returns:
        version: Version in the registry.
    """
    from ratchet.delivery.registry import Lineage, register_model
    from ratchet.settings import load_settings

    lineage = Lineage(model, int(generation), run_id, {"primary_metric": primary_metric}, {"ratchet.reference": reference.uri})
    registered = register_model(challenger.path, reference.path, schema.path, lineage=lineage, settings=load_settings(settings))
    return (registered.version,)
