"""A sample is a share of the requests, the same one for everybody who asks."""

import pytest

from ratchet.traffic.sampling import sampled


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99, 1.0])
def test_the_share_is_what_was_asked_for(share):
    found = sum(sampled(f"{number:08x}", share) for number in range(20_000)) / 20_000
    assert abs(found - share) < 0.012  # more than three standard deviations, and the ids are fixed


def test_a_small_sample_is_within_every_larger_one_and_rows_go_with_their_request():
    ids = [f"request-{number}" for number in range(2_000)]
    small = {one for one in ids if sampled(one, 0.1)}
    assert small < {one for one in ids if sampled(one, 0.3)}
    assert small == {one for one in ids if sampled(f"{one}#0", 0.1)} == {one for one in ids if sampled(f"{one}#17", 0.1)}


def test_any_text_is_an_id():
    assert sampled("\ud800", 1.0)
    assert not sampled("\ud800", 0.0)
