import numpy as np
import pytest

from ratchet.drift import statistics
from ratchet.drift.merged import Merged


@pytest.mark.parametrize(
    ("reference", "current", "distance"),
    [([np.inf, 1.0], [np.inf, 2.0], 0.5), ([np.inf], [np.inf], 0.0), ([-np.inf], [np.inf], np.inf), ([np.inf, 1.0], [1.0, 2.0], np.inf)],
)
def test_mass_at_the_same_infinity_need_not_move(reference: list[float], current: list[float], distance: float) -> None:
    assert statistics.wasserstein(np.array(reference), np.array(current)) == distance


def test_the_value_of_the_largest_gap_is_the_last_one_before_the_other_sample_catches_up() -> None:
    assert Merged.of(np.array([1.0, 2.0, 3.0]), np.array([3.0, 4.0, 5.0])).largest_gap() == (2 / 3, 2.0)
