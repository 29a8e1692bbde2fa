"""What a denoising autoencoder is shown in place of the rows that it is to make again.

Made by numpy beside the training, not in the compiled loop: there XLA would draw random numbers ten times slower than it trains.
"""

from collections.abc import Sequence

import numpy as np

from ratchet.models.autoencoder.parameters import AutoencoderParameters
from ratchet.models.autoencoder.preparation import UNKNOWN
from ratchet.models.autoencoder.rows import Layout

DRAW = 1 << 16


def corrupted(
    records: np.ndarray, layout: Layout, how: AutoencoderParameters, masked: Sequence[int], rng: np.random.Generator
) -> np.ndarray:
    """Return records with noise, and without some values, which then look as missing and never seen ones do.

    Args:
        records: float32, shape (n, width).
        layout: Of a record.
        how: Its ``noise`` and ``masking``.
        masked: Places of the numeric columns that the network is told the gaps of.
        rng: Where chance comes from.

    Returns:
        shape (n, width); the records themselves where nothing is to be changed.

    Source:
        Vincent et al., "Stacked denoising autoencoders", Journal of Machine Learning Research 11 (2010).
    """
    if not (how.noise or how.masking):
        return records
    shown, codes = records.copy(), layout.numbers + layout.masks
    numbers = shown[:, : layout.numbers]
    if how.noise:
        numbers += how.noise * rng.standard_normal(numbers.shape, np.float32)
    if how.masking:
        hidden = rng.integers(DRAW, size=(len(records), layout.numbers + layout.categories), dtype=np.uint16) < how.masking * DRAW
        numbers[hidden[:, : layout.numbers]] = 0.0  # the mean
        shown[:, codes:][hidden[:, layout.numbers :]] = UNKNOWN
        if layout.masks:
            for place in masked:
                shown[hidden[:, place], layout.numbers + place] = 1.0
    return shown
