from typing import NamedTuple

from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Metrics, Model, Output

from components.images import image


@dsl.component(base_image=image("deep"), install_kfp_package=False)
def train_autoencoder(
    train: Input[Dataset],
    validation: Input[Dataset],
    specification: Input[Artifact],
    model: Output[Model],
    curve: Output[HTML],
    scores: Output[Metrics],
    architecture: str = "dense",
    hidden: list = [],
    latent_size: int = 0,
    latent_sizes: list = [],
    channels: int = 1,
    scaling: str = "auto",
    noise: float = 0.0,
    masking: float = 0.0,
    epochs: int = 100,
    batch_size: int = 256,
    learning_rate: float = 0.001,
    patience: int = 10,
    train_on: str = "auto",
    threshold_by: str = "auto",
    false_alarm_rate: float = 0.01,
    cost_false_negative: float = 1.0,
    cost_false_positive: float = 1.0,
    threads: int = 2,
    seed: int = 0,
    members: int = 1,
    settings: str = "",
) -> NamedTuple("Outputs", [("latent_size", int), ("threshold", float), ("digest", str)]):
    """Train an autoencoder with early stopping and write a model package with the threshold of its reconstruction error.

    Args:
        train: Rows that train.
        validation: Rows that say when to stop, and where the threshold is.
        specification: What the model reads and how its features are made.
        architecture: "dense" for rows; "conv" or "lstm" for windows of a time series, whose numeric columns are steps × channels, in order.
        hidden: Width of each hidden layer from the input to the embedding; empty for a default by the number of columns.
        latent_size: Width of the embedding; 0 for a default by the number of columns.
        latent_sizes: Widths of which the narrowest is taken that is as good as the best; empty to take latent_size.
        channels: Numbers measured at each step of a window.
        scaling: "column", "window" (one centre and spread for all columns), or "auto": by the architecture.
        noise: Standard deviation of the noise on what the network is shown, where the spread of a column is 1.
        masking: Share of the values that the network is not shown.
        epochs: Most passes over the training rows.
        batch_size: Rows of one step; a small table takes fewer.
        learning_rate: Of Adam.
        patience: Stop after this many passes without a lower validation error.
        train_on: "normal" rows, "all", or "auto": normal ones where there are labels.
        threshold_by: "rate", "f_score", "cost", or "auto": by labels where the validation rows are of both classes.
        false_alarm_rate: Wanted share of the normal validation rows at or above the threshold.
        cost_false_negative: Cost of a missed anomaly.
        cost_false_positive: Cost of a false alarm; where the two are equal, nobody has stated them.
        threads: Threads of the training; a part of the recipe, because sums depend on it.
        seed: Seed of everything random.
        members: Networks whose mean error is a row's error; several vary less from seed to seed than one, and cost as many times as much.
        settings: URI of a settings file; its signing key, a secret reference, signs the package. Empty for the environment's.
        model: The model package.
        curve: Learning curve, errors with the threshold, what is hard to make again, and what the search found.
        scores: Errors, alarm rate and device.

    Returns:
        latent_size: Width of the embedding.
        threshold: At or above it a row's error makes it an anomaly.
        digest: Digest of the package; same data, parameters and seed, same digest.
    """
    from ratchet.models.autoencoder.parameters import AutoencoderParameters
    from ratchet.models.autoencoder.training import train_autoencoder
    from ratchet.settings import load_settings

    # fmt: off
    how = AutoencoderParameters(
        architecture, [*map(int, hidden)], latent_size, [*map(int, latent_sizes)], channels, scaling, noise, masking, epochs, batch_size,
        learning_rate, patience, train_on, threshold_by, false_alarm_rate, cost_false_negative, cost_false_positive, threads, seed, members,
    )
    # fmt: on
    key = load_settings(settings).signing()
    result = train_autoencoder(train.path, validation.path, specification.path, model.path, parameters=how, key=key)
    model.metadata.update({"digest": result.digest, "kind": result.package.kind, "device": result.device})
    result.page().write_html(curve.path)
    result.log_to(scores)
    return (result.latent_size, result.threshold, result.digest)
