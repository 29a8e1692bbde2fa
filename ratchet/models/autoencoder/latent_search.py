"""How wide the embedding should be: one network for each width, and what is gained by more.

A wider embedding always makes rows again better, anomalies included, so the error alone would choose the widest. What decides is what the
embedding is for: finding the labelled anomalies of the validation rows, or, without labels, holding what a linear model could read from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ratchet.models.autoencoder.alarm import ANOMALY, NORMAL
from ratchet.models.autoencoder.fitted import Fitted, Learnt, fit_network
from ratchet.models.autoencoder.fitting import usual
from ratchet.models.autoencoder.networks import sizes
from ratchet.models.autoencoder.parameters import AutoencoderParameters
from ratchet.models.autoencoder.reconstruction import BLOCK
from ratchet.models.autoencoder.rows import sample

CLOSE = 0.01  # a score this near to the best is as good: a narrower embedding is preferred to it
READ_OUT_ROWS = 20_000
PRECISION, READ_OUT = "average precision", "R² of a linear read-out"


@dataclass(frozen=True)
class Trial:
    """One width of the embedding.

    Attributes:
        latent: The width.
        error: Mean error of the validation rows that are not known to be anomalies.
        score: How good the embedding or the error is for what comes after, at most 1.
        measure: What the score is.
        chosen: Whether it was taken.
    """

    latent: int
    error: float
    score: float
    measure: str
    chosen: bool = False


def search(learnt: Learnt, how: AutoencoderParameters) -> tuple[Fitted, tuple[Trial, ...]]:
    """Train a network of each width in ``latent_sizes`` and return the one to take, and what came of each.

    Args:
        learnt: The rows.
        how: To train.
    """
    widths = sorted({int(one) for one in how.latent_sizes})
    found = [fit_network(learnt, how, width) for width in widths]
    scores = [_score(fitted, learnt) for fitted in found]
    best = narrowest([score for score, _ in scores])
    return found[best], tuple(
        Trial(one.latent, min(one.history.validation_error), score, measure, place == best)
        for place, (one, (score, measure)) in enumerate(zip(found, scores, strict=True))
    )


def narrowest(scores: Sequence[float]) -> int:
    """Return the first place whose score is within 0.01 of the best.

    >>> narrowest([0.5, 0.8, 0.805, 0.79])
    1
    """
    return next(place for place, score in enumerate(scores) if score >= max(scores) - CLOSE)


def average_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    """Return the average precision: the mean over the anomalies of the precision among the rows that score no lower.

    Args:
        labels: shape (n,), 1 for an anomaly, else 0; at least one is 1.
        scores: shape (n,), finite.

    Returns:
        In [0, 1]; equals ``sklearn.metrics.average_precision_score``.

    >>> average_precision(np.array([0, 1, 0, 1]), np.array([0.1, 0.2, 0.3, 0.4]))
    0.8333333333333333
    """
    _, place = np.unique(scores, return_inverse=True)
    hits, rows = (np.cumsum(np.bincount(place, weights=weights)[::-1]) for weights in (labels, np.ones(len(labels))))
    return float((np.diff(hits, prepend=0.0) * hits / rows).sum() / hits[-1])


def read_out(embedding: np.ndarray, values: np.ndarray) -> float:
    """Return how much of some values a linear model reads from an embedding: fitted on every other row, judged on those between.

    Args:
        embedding: shape (n, k).
        values: shape (n, m).

    Returns:
        The share of the variance explained, R², over all values together; 0 where they do not vary.
    """
    given = np.column_stack([embedding.astype(np.float64), np.ones(len(embedding))])
    solution = np.linalg.lstsq(given[::2], values[::2], rcond=None)[0]
    judged = values[1::2]
    variance = np.square(judged - judged.mean(axis=0)).sum() if len(judged) else 0.0
    return float(1 - np.square(judged - given[1::2] @ solution).sum() / variance) if variance else 0.0


def _score(fitted: Fitted, learnt: Learnt) -> tuple[float, str]:
    labels = learnt.validation.labels
    known = (labels == NORMAL) | (labels == ANOMALY)
    if len(np.unique(labels[known])) == 2:
        return average_precision(labels[known], fitted.errors[known]), PRECISION
    layout = learnt.validation.layout
    records = sample(learnt.validation, READ_OUT_ROWS, np.flatnonzero(usual(labels)))
    embedding = np.concatenate([fitted.asked.ask(records[start : start + BLOCK])[0] for start in range(0, len(records), BLOCK)])
    codes = records[:, layout.numbers + layout.masks :].astype(int)
    chosen = [np.eye(count)[codes[:, place]] for place, count in enumerate(sizes(learnt.preparation))]
    return read_out(embedding, np.concatenate([records[:, : layout.numbers], *chosen], axis=1, dtype=np.float64)), READ_OUT
