from typing import NamedTuple

from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Metrics, Model, Output

from components.images import image


@dsl.component(base_image=image("tabular"), install_kfp_package=False)
def train_stacked(
    train: Input[Dataset],
    validation: Input[Dataset],
    specification: Input[Artifact],
    encoder: Input[Model],
    model: Output[Model],
    curve: Output[HTML],
    scores: Output[Metrics],
    encoder_name: str = "",
    encoder_version: str = "",
    encoder_outputs: list = [],
    iterations: int = 1000,
    learning_rate: float = 0.0,
    depth: int = 0,
    l2_leaf_reg: float = 0.0,
    early_stopping_rounds: int = 100,
    class_weights: str = "none",
    refit: bool = False,
    members: int = 1,
    cost_false_negative: float = 1.0,
    cost_false_positive: float = 1.0,
    threads: int = 2,
    seed: int = 0,
    settings: str = "",
) -> NamedTuple("Outputs", [("best_iteration", int), ("threshold", float), ("digest", str)]):
    """Train CatBoost on the features and on an autoencoder's embedding, its error, or both; the model package holds the autoencoder, too.

    Args:
        train: Rows that train.
        validation: Rows that choose the number of trees and the threshold.
        specification: What the model reads and how its features are made; the autoencoder was trained from the same.
        encoder: The autoencoder's model package.
        encoder_name: Deployment that the autoencoder is registered for; promotion and rollback move it with this model. Empty for none.
        encoder_version: Its version in the registry; empty likewise.
        encoder_outputs: What the model reads of the autoencoder: "embedding", "error"; empty for both.
        iterations: Most trees.
        learning_rate: Step of each tree; 0 lets CatBoost choose.
        depth: Depth of a tree; 0 lets CatBoost choose.
        l2_leaf_reg: L2 regularisation of leaf values; 0 lets CatBoost choose.
        early_stopping_rounds: Stop after this many trees without a better validation loss.
        class_weights: "none" or "balanced".
        refit: Train once more on train and validation rows, with the number of trees found.
        members: Models, each of the next seed, whose mean the model is; several vary less than one, and cost as many times as much.
        cost_false_negative: Cost of a missed positive; sets the threshold.
        cost_false_positive: Cost of a false alarm; likewise.
        threads: Threads of the training; a part of the recipe, because sums depend on it.
        seed: Seed of everything random.
        settings: URI of a settings file; its signing key, a secret reference, signs the package. Empty for the environment's.
        model: The model package.
        curve: Learning curve and what the model uses.
        scores: Losses and the number of trees.

    Returns:
        best_iteration: Number of trees.
        threshold: At or above it a row is called positive; 0 unless there are two classes.
        digest: Digest of the package; same data, parameters and seed, same digest.
    """
    from ratchet.models.training import BoostingParameters, train_boosting
    from ratchet.settings import load_settings

    # fmt: off
    how = BoostingParameters(
        iterations, learning_rate, depth, l2_leaf_reg, early_stopping_rounds, class_weights, refit,
        cost_false_negative, cost_false_positive, threads, seed, members,
    )
    # fmt: on
    key = load_settings(settings).signing()
    named = {"encoder_name": encoder_name, "encoder_version": encoder_version, "encoder_outputs": encoder_outputs}
    paths = (train.path, validation.path, specification.path, model.path)
    result = train_boosting(*paths, parameters=how, key=key, encoder_path=encoder.path, **named)
    model.metadata.update({"digest": result.digest, "kind": result.package.kind, "trees": str(result.best_iteration)})
    model.metadata["encoder"] = f"{encoder_name} {encoder_version}".strip()
    result.page().write_html(curve.path)
    result.log_to(scores)
    return (result.best_iteration, result.threshold, result.digest)
