"""What an autoencoder can say of a row beyond its error: where it lies in the latent space, and which columns its error is made of.

Most clients want neither, and both are much larger than a prediction. So they are computed only when a request of the batch asks for them,
once for the batch, and travel beside the predictions by name, each an array with a row for each row that was asked.
"""

from collections.abc import Mapping, Sequence

import numpy as np

EMBEDDING, SHARES = "embedding", "shares"
DTYPES: Mapping[str, np.dtype[np.floating]] = {EMBEDDING: np.dtype("<f4"), SHARES: np.dtype("<f8")}
NOTHING: frozenset[str] = frozenset()

Details = Mapping[str, np.ndarray]


def part(details: Details, start: int, end: int) -> Details:
    """Return the details of some of the rows.

    >>> part({"embedding": np.array([[1.0], [2.0], [3.0]])}, 1, 2)
    {'embedding': array([[2.]])}
    """
    return {name: values[start:end] for name, values in details.items()} if details else details


def joined(parts: Sequence[Details]) -> Details:
    """Return the details of rows that were computed apart; those that each part has."""
    if not parts or not parts[0]:
        return {}
    return {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}


def finite(details: Details) -> bool:
    """Return whether every number is one."""
    return all(bool(np.isfinite(values).all()) for values in details.values())
