"""Testing by betting: a gambler bets against a null hypothesis, and a fortune is the evidence that it is wrong.

Why not a p-value: it may be looked at once. The wealth of a gambler who cannot win on average under the null exceeds 1/α at any time at
all with a probability of at most α (Ville's inequality), so the evidence may be looked at after every request, and the trial may stop
whenever somebody likes. Nothing is assumed of the distribution but its bounds and its conditional mean.

The gambler splits the capital over fixed bets and never moves any between them. With bets fixed beforehand the wealth does not depend on
the schedule of looks, is computed in one pass of numpy, and loses little to the best bet in hindsight: a factor of its share.

Source:
    Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86 (2024), with discussion (online 2023);
    Ville, "Étude critique de la notion de collectif" (1939). Mixing over bets goes back to Cover, "Universal portfolios" (1991).
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Bets as shares of the capital that a single step can put at risk. Even steps where a decision takes hundreds of pairs and the best bet is
# large; halves below, for small differences, where it takes thousands. None is 1: one unlucky step must not end a bet for ever.
BETS: Array = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.025, 0.0125, 0.00625, 0.003125])
SHARES: Array = np.array([0.06] * 8 + [0.1] * 3 + [0.08, 0.08, 0.06])
# Within a piece fortunes are multiplied, not added as logarithms: three times faster, and 64 factors between 0.1 and 20 stay far from
# the ends of a float. So many columns at a time stay in the cache.
PIECE = 64
COLUMNS = 8_192


def start() -> Array:
    """Return the logarithm of the capital that lies on each bet before anything is seen; it sums to 1."""
    return np.asarray(np.log(SHARES), dtype=np.float64)


def grow(capital: Array, gains: Array, largest_loss: float = 1.0) -> tuple[Array, Array]:
    """Bet on a run of gains, one after the other, and go on from an earlier capital.

    Null hypothesis: given what came before, no gain is above 0 on average. Under it, the wealth is a nonnegative supermartingale that
    begins at 1.

    Args:
        capital: shape (bets,), natural logarithms: `start()`, or what an earlier call returned.
        gains: shape (n,), each at least -largest_loss.
        largest_loss: Above 0, fixed beforehand: the most that a step can lose.

    Returns:
        capital: shape (bets,), afterwards.
        wealth: shape (n,), natural logarithm of the whole after each gain.

    >>> capital, wealth = grow(start(), np.array([1.0, -1.0]))
    >>> expected = np.log([np.sum(SHARES * (1 + BETS)), np.sum(SHARES * (1 - BETS**2))])
    >>> bool(np.allclose(wealth, expected))
    True
    """
    bets = BETS[:, None, None] / max(largest_loss, 0.1)
    paths = [np.empty(0)]
    for first in range(0, len(gains), COLUMNS):
        some = gains[first : first + COLUMNS]
        padded = np.zeros(-(-len(some) // PIECE) * PIECE)
        padded[: len(some)] = some
        factors = bets * padded.reshape(1, -1, PIECE)
        factors += 1
        products = np.cumprod(factors, axis=2, out=factors)
        after = capital[:, None] + np.cumsum(np.log(products[:, :, -1]), axis=1)
        before = np.concatenate([capital[:, None], after[:, :-1]], axis=1)
        top = before.max(axis=0)
        wealth = np.log(np.einsum("kp,kps->ps", np.exp(before - top), products)) + top[:, None]
        paths.append(wealth.ravel()[: len(some)])
        capital = after[:, -1]
    return capital, np.concatenate(paths)


def wealth_path(gains: Array, largest_loss: float = 1.0) -> Array:
    """Return the natural logarithm of the wealth after each gain, from a capital of 1; see `grow`.

    >>> wealth_path(np.array([0.0, 0.0])).round(12).tolist()
    [0.0, 0.0]
    """
    return grow(start(), gains, largest_loss)[1]
