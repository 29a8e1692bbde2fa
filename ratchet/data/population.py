"""The people and places of the card simulator: who pays, how much, when and where. They are the same in every month of a seed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CATEGORIES = ("grocery", "restaurant", "fuel", "clothing", "electronics", "travel", "digital", "pharmacy")
PRICES = np.array([1.0, 0.9, 1.3, 1.6, 2.4, 3.0, 0.7, 0.6])  # of a purchase, relative to the customer's usual
SHARES = np.array([0.27, 0.17, 0.11, 0.11, 0.09, 0.05, 0.12, 0.08])
ONLINE = np.array([0.05, 0.05, 0.0, 0.25, 0.3, 0.5, 1.0, 0.05])  # share of a category's terminals that are web shops

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Population:
    """Who pays and where; the same in all months of a seed.

    Attributes:
        price: shape (customers,), the usual price of a purchase.
        rate: shape (customers,), purchases a day.
        hour: shape (customers,), the hour around which they shop.
        online: shape (customers,), share of purchases online.
        near: shape (customers, 12), the shops a customer goes to.
        category: shape (terminals,), index into `CATEGORIES`.
        web: indices of terminals that are web shops.
    """

    price: Floats
    rate: Floats
    hour: Floats
    online: Floats
    near: Ints
    category: Ints
    web: Ints


def make_population(seed: int, customers: int) -> Population:
    """Return the customers and terminals of a seed.

    Args:
        seed: Same seed and number, same population.
        customers: How many; there is a terminal for every two, at least 40.

    >>> make_population(7, customers=100).near.shape
    (100, 12)
    """
    rng = np.random.default_rng([seed, 0])
    terminals = max(40, customers // 2)
    category = rng.choice(len(CATEGORIES), terminals, p=SHARES)
    web = np.flatnonzero(rng.random(terminals) < ONLINE[category])
    web = np.union1d(web, np.arange(2))  # there is always a web shop
    category[0] = CATEGORIES.index("digital")
    shops = np.setdiff1d(np.arange(terminals), web)
    home, place = rng.random((customers, 2)), rng.random((len(shops), 2))
    near = shops[np.argsort(((home[:, None, :] - place[None, :, :]) ** 2).sum(axis=2), axis=1)[:, :12]]
    return Population(
        price=rng.lognormal(3.3, 0.45, customers),
        rate=rng.gamma(4.0, 0.5, customers),
        hour=rng.normal(14.0, 2.5, customers),
        online=rng.beta(2.0, 6.0, customers),
        near=near,
        category=category,
        web=web,
    )
