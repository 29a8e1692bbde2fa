"""One network, trained and asked about the validation rows: what a package is made of, and what a search compares."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ratchet.models.autoencoder.fitting import Fit, fit
from ratchet.models.autoencoder.networks import build_network, sizes
from ratchet.models.autoencoder.parameters import AutoencoderParameters
from ratchet.models.autoencoder.preparation import Preparation
from ratchet.models.autoencoder.reconstruction import BLOCK, Reconstruction
from ratchet.models.autoencoder.rows import PreparedRows, relaid, sample

SCALE_ROWS = 100_000  # training rows that the columns' scales are a mean of
LEAST_SCALE = 0.01  # of the mean over the columns: a column that is made again without error would drown all others


@dataclass(frozen=True)
class Learnt:
    """What a training has to go by.

    Attributes:
        preparation: Of the columns.
        train: Rows that train.
        validation: Rows that say when to stop, and where the threshold is.
        masked: Places of the numeric columns that have missing values in training.
    """

    preparation: Preparation
    train: PreparedRows
    validation: PreparedRows
    masked: Sequence[int] = ()


@dataclass(frozen=True)
class Fitted:
    """A trained network.

    Attributes:
        preparation: With the scale of each column's error.
        latent: Width of the embedding.
        history: Of the training.
        asked: The network, to be asked about rows laid out as the validation rows are.
        errors: float64, shape (n,): the error of each validation row.
    """

    preparation: Preparation
    latent: int
    history: Fit
    asked: Reconstruction
    errors: np.ndarray


def fit_network(learnt: Learnt, how: AutoencoderParameters, latent: int) -> Fitted:
    """Train a network and ask it about the validation rows.

    Args:
        learnt: The rows.
        how: To train.
        latent: Width of the embedding.

    Raises:
        ParameterError: the error is not finite any more.
    """
    network = build_network(learnt.preparation, how, latent, learnt.masked)
    asked = Reconstruction(network, learnt.validation.layout, sizes(learnt.preparation))
    history = fit(asked, learnt.train, learnt.validation, how, masked=learnt.masked)
    scales = _scales(asked, learnt.train, how)
    preparation = replace(learnt.preparation, scales=tuple(scales.tolist()))
    return Fitted(preparation, latent, history, asked, asked.errors(learnt.validation, scales))


def _scales(asked: Reconstruction, train: PreparedRows, how: AutoencoderParameters) -> np.ndarray:
    """Return each column's mean error over the training rows, so that a column that is hard to make again says no more than another.

    The columns of a signal have one scale, as they have one spread: which of its steps are hard is a part of what is usual.
    """
    records = relaid(sample(train, SCALE_ROWS), train.layout, asked.layout)
    found = [asked.ask(records[start : start + BLOCK])[1].sum(axis=0, dtype=np.float64) for start in range(0, len(records), BLOCK)]
    means: np.ndarray = np.sum(found, axis=0) / len(records)
    if how.together:
        steps = means[: asked.layout.numbers].reshape(-1, how.channels)
        means[: asked.layout.numbers] = np.tile(steps.mean(axis=0), len(steps))
    return np.maximum(means, LEAST_SCALE * means.mean()) if means.any() else np.ones_like(means)
