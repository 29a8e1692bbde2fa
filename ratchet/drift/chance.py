"""What chance alone does: p-values, and the distance that two samples of one distribution stay below.

A distance above a fixed threshold means little on 50 rows and a p-value below 0.05 means little on a million, so a column has drifted
only when its distance exceeds both the threshold and what chance does at that size. The bounds hold for every sample size and
every distribution; scipy's asymptotic p-values are shown beside them. (scipy itself is not imported: 1.8 s of every start.)
"""

import math

import numpy as np
from numpy.typing import NDArray


def ks_chance(n: int, m: int, alpha: float) -> float:
    """Return the D that two samples of one distribution exceed with probability at most alpha.

    Args:
        n: Rows of the first sample, at least 1.
        m: Rows of the second, at least 1.
        alpha: Probability, in (0, 1).

    Returns:
        A distance; 1 or more means that samples this small can show nothing.

    Source:
        Wei and Dudley, "Two-sample Dvoretzky–Kiefer–Wolfowitz inequalities", Stat. Probab. Lett. 82 (2012); the constant e
        holds at any size where 2 needs 458 rows.

    >>> round(ks_chance(10_000, 10_000, 0.001), 4)
    0.0281
    >>> ks_chance(3, 3, 0.001) > 1
    True
    """
    return math.sqrt(math.log(math.e / alpha) / 2 * (1 / n + 1 / m))


def variation_chance(
    reference: NDArray[np.float64], current: NDArray[np.float64], alpha: float, *, times: NDArray[np.float64] | float = 1.0
) -> float:
    """Return the total variation distance that two samples of one distribution exceed with probability at most alpha.

    The expected distance grows with the number of categories (two samples of unique identifiers share nothing), so the bound is that
    expectation plus what one row at a time can add. Of two categories a rare one moves far less than that: `rate_chance`.

    Args:
        reference: shape (k,), counts by category.
        current: shape (k,), likewise.
        alpha: Probability, in (0, 1).
        times: shape (k,), how many categories have these counts.

    Source:
        Jensen's inequality for the expectation, McDiarmid, "On the method of bounded differences" (1989), for the rest.

    >>> round(variation_chance(np.array([5000.0, 5000.0]), np.array([5000.0, 5000.0]), 0.001), 4)
    0.0334
    >>> variation_chance(np.repeat([1.0, 0.0], 500), np.repeat([0.0, 1.0], 500), 0.001) > 1
    True
    """
    n, m = float(np.sum(reference * times)), float(np.sum(current * times))
    spread = 1 / n + 1 / m
    pooled = (reference + current) / (n + m)
    expected = float(np.sum(np.sqrt(pooled * (1 - pooled)) * times)) * math.sqrt(spread) / 2
    bound = expected + math.sqrt(math.log(1 / alpha) / 2 * spread)
    if float(np.sum(times * np.ones(len(reference)))) != 2:
        return bound
    return min(bound, rate_chance(float(pooled[0]), n, m, alpha))


def rate_chance(rate: float, n: float, m: float, alpha: float) -> float:
    """Return the difference between the rates of two samples that those of one distribution exceed with probability at most alpha.

    Args:
        rate: Of both samples together, 0 to 1.
        n: Rows of the first sample.
        m: Rows of the second.
        alpha: Probability, in (0, 1).

    Returns:
        A difference; infinite where nothing, or everything, is counted.

    Source:
        Given the total, what falls into the smaller sample is hypergeometric; its tails: Chvátal, "The tail of the hypergeometric
        distribution", Discrete Mathematics 25 (1979).

    >>> round(rate_chance(0.01, 100_000, 10_000, 0.001), 4)
    0.0045
    """
    few, many = min(n, m), max(n, m)
    rare = min(rate, 1 - rate)
    if rare <= 0:
        return math.inf
    needed = math.log(2 / alpha) / few
    low, high = rare, 1.0
    if -math.log(rare) < needed:
        return math.inf  # not even a sample of nothing else would tell
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _divergence(middle, rare) < needed else (low, middle)
    return (high - rare) * (n + m) / many


def _divergence(rate: float, expected: float) -> float:
    """Return the Kullback–Leibler divergence of one coin from another, in nats."""
    other = (1 - rate) * math.log((1 - rate) / (1 - expected)) if rate < 1 else 0.0
    return rate * math.log(rate / expected) + other


def ks_p(d: float, n: int, m: int) -> float:
    """Return the asymptotic p-value of the two-sample D.

    Returns:
        Equals ``scipy.stats.kstwobign.sf(sqrt(n * m / (n + m)) * d)``.

    Source:
        Kolmogorov, "Sulla determinazione empirica di una legge di distribuzione" (1933); Smirnov (1939).

    >>> round(ks_p(0.1, 100, 100), 4)
    0.6994
    """
    x = d * math.sqrt(n * m / (n + m))
    if x < 0.04:
        return 1.0
    if x < 1:
        factor = math.sqrt(2 * math.pi) / x
        return 1 - factor * sum(math.exp(-((2 * k - 1) ** 2) * math.pi**2 / (8 * x * x)) for k in range(1, 20))
    tail = 2 * sum(math.exp(-2 * k * k * x * x) * (1 if k % 2 else -1) for k in range(1, 20))
    return min(max(tail, 0.0), 1.0)


def chi_square_p(statistic: float, degrees: int) -> float:
    """Return the chance of a chi-square value at least this large; 1 with no degrees of freedom.

    Returns:
        Equals ``scipy.stats.chi2.sf(statistic, degrees)``.

    Source:
        Press and others, "Numerical Recipes" (2007), 6.2: the incomplete gamma function by its series or its continued fraction.

    >>> round(chi_square_p(3.841458820694124, 1), 12)
    0.05
    """
    if degrees < 1 or statistic <= 0:
        return 1.0
    shape, x = degrees / 2, statistic / 2
    scale = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    return min(max(1 - scale * _series(shape, x) if x < shape + 1 else scale * _fraction(shape, x), 0.0), 1.0)


def _series(shape: float, x: float) -> float:
    total = term = 1 / shape
    place = shape
    while abs(term) > abs(total) * 1e-16:
        place += 1
        term *= x / place
        total += term
    return total


def _fraction(shape: float, x: float) -> float:
    tiny = 1e-300
    b = x + 1 - shape
    c, d = 1 / tiny, 1 / b
    result = d
    for i in range(1, 100_000):
        a = -i * (i - shape)
        b += 2
        d = 1 / (a * d + b or tiny)
        c = b + a / c or tiny
        result *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return result
