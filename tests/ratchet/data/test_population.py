"""The simulator's people and places."""

import numpy as np

from ratchet.data.population import CATEGORIES, make_population


def test_the_population_of_a_seed_is_the_same_each_time_and_another_for_another_seed() -> None:
    one, again, other = make_population(1, 50), make_population(1, 50), make_population(2, 50)
    assert np.array_equal(one.price, again.price)
    assert np.array_equal(one.near, again.near)
    assert not np.array_equal(one.price, other.price)


def test_nobody_walks_to_a_web_shop_and_something_digital_is_always_sold() -> None:
    for seed in range(10):
        people = make_population(seed, 20)
        assert not set(people.near.ravel()) & set(people.web)
        assert CATEGORIES.index("digital") in people.category[people.web]
