"""Two operations have one key exactly when they are the same operation."""

from hypothesis import given
from hypothesis import strategies as st

from ratchet.delivery.operations import operation_key

parts = st.tuples(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5), st.integers(0, 3))


@given(parts, parts)
def test_keys_are_equal_exactly_for_equal_operations(one, other):
    assert (operation_key(*one) == operation_key(*other)) == (one == other)
    assert operation_key(*one[:3], float(one[3])) == operation_key(*one), "KFP may bring a number as a float"
