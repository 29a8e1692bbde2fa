from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.drift import statistics, tally
from ratchet.drift.tally import Tally

values = st.lists(st.integers(0, 9) | st.integers(0, 2**64 - 1), min_size=1, max_size=60)


@given(values, values, st.sampled_from([1, 2, 7, 1 << 18]))
@settings(max_examples=300)
def test_a_tally_is_what_a_counter_says_however_it_is_cut(first: list[int], second: list[int], together: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tally, "TOGETHER", together)
        found = Tally.of(np.sort(np.array(first, dtype=np.uint64)), np.sort(np.array(second, dtype=np.uint64)))
    before, after = Counter(first), Counter(second)
    expected = Counter((before[value], after[value]) for value in {*first, *second})
    pairs = zip(found.reference.tolist(), found.current.tolist(), strict=True)
    assert dict(zip(pairs, found.times.tolist(), strict=True)) == expected
    moves = {value: after[value] / len(second) - before[value] / len(first) for value in {*first, *second}}
    assert abs(moves[found.farthest]) == pytest.approx(max(map(abs, moves.values())))


@given(values, values)
def test_statistics_of_a_tally_are_those_of_the_single_categories(first: list[int], second: list[int]) -> None:
    found = Tally.of(np.sort(np.array(first, dtype=np.uint64)), np.sort(np.array(second, dtype=np.uint64)))
    single = [np.array([Counter(side)[value] for value in {*first, *second}], dtype=float) for side in (first, second)]
    for measure in (statistics.total_variation, statistics.psi, statistics.jensen_shannon, statistics.kullback_leibler):
        assert measure(found.reference, found.current, times=found.times) == pytest.approx(measure(*single), rel=1e-9, abs=1e-7)
    told, expected = statistics.chi_square(found.reference, found.current, times=found.times), statistics.chi_square(*single)
    assert (told.statistic, told.degrees) == (pytest.approx(expected.statistic, abs=1e-9), expected.degrees)


def test_of_two_shares_that_moved_alike_the_one_that_grew_is_told() -> None:
    first, second = np.array([1, 1, 2], dtype=np.uint64), np.array([1, 2, 2], dtype=np.uint64)
    assert [Tally.of(*sides).farthest for sides in ((first, second), (second, first))] == [2, 1]
