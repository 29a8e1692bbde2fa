"""A column that is looked at as a whole is what its values are one by one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.serving.values import CHECKERS, REFUSED, check_column

NUMBERS = (
    st.floats() | st.integers() | st.sampled_from([1e308, -1e308, 10**400, 2**63, 2**63 - 1, -(2**63), -(2**63) - 1, 2.0**53, 2.0**54])
)
TEXTS = st.text(max_size=3) | st.sampled_from(
    ["", "a" * 65_536, "a" * 65_537, "2026-01-02", "2026-01-02T03:04:05+01:00", "0001-01-01T00:00+23:59"]
)
VALUES = {"number": NUMBERS, "integer": NUMBERS, "boolean": st.booleans(), "string": TEXTS, "datetime": TEXTS}


@pytest.mark.parametrize("kind", CHECKERS)
@given(data=st.data())
def test_a_column_is_checked_as_its_values_are(kind, data):
    values = data.draw(st.lists(VALUES[kind] | st.none() | st.booleans(), max_size=6) | st.lists(VALUES[kind], max_size=6))
    made = [None if value is None else CHECKERS[kind](value) for value in values]
    whole = check_column(values, kind)
    if any(one is REFUSED for one in made):
        assert whole is None
    else:
        assert [(type(one), one) for one in whole] == [(type(one), one) for one in made]


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_found_among_others(odd):
    assert check_column([1.0, odd, 2.0, -odd], "number") is None


def test_large_numbers_whose_sum_no_double_holds_are_taken():
    assert check_column([1e308, 1e308, None], "number") == [1e308, 1e308, None]
