from hypothesis import given
from hypothesis import strategies as st

from ratchet.serving.routing import bucket, is_in_share

KEYS = st.text()


@given(KEYS, KEYS, st.integers(0, 100), st.integers(0, 100))
def test_a_key_that_is_in_at_a_share_is_in_at_every_larger_one(key, salt, one, other):
    small, large = sorted((one, other))
    assert not is_in_share(key, salt, small) or is_in_share(key, salt, large)


@given(KEYS, KEYS)
def test_at_nothing_nobody_is_in_and_at_all_everybody(key, salt):
    assert not is_in_share(key, salt, 0)
    assert is_in_share(key, salt, 100)
    assert 0 <= bucket(key, salt) < 100


def test_a_place_is_the_same_everywhere():
    assert [round(bucket(key, "fraud:7"), 6) for key in ("card 1", "card 2")] == [91.073367, 3.62734]


def test_the_share_is_the_share():
    inside = sum(is_in_share(f"card {i}", "fraud:7", 5) for i in range(20_000))
    assert 900 < inside < 1100


def test_another_rollout_draws_anew():
    first, second = ({i for i in range(5000) if is_in_share(f"card {i}", salt, 20)} for salt in ("fraud:7", "fraud:8"))
    assert 120 < len(first & second) < 280, "a fifth of a fifth of 5,000 is 200"


def test_key_and_salt_do_not_run_into_each_other():
    assert bucket("23", "fraud:1") != bucket("3", "fraud:12")
