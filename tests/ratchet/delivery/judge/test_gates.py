"""What follows from the gates: one abort is enough, every pass is needed, and nothing promotes on missing evidence."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.delivery.judge.gates import POINTS, Gate, Test, combine, thinned

VERDICTS = ("pass", "abort", "hold", "wait")


def test_every_combination_of_three_gates() -> None:
    for verdicts in itertools.product(VERDICTS, repeat=3):
        gates = [Gate(f"gate {i}", verdict, f"reason {i}") for i, verdict in enumerate(verdicts)]
        for last_look in (False, True):
            found = combine(gates, last_look=last_look)
            if "abort" in verdicts:
                expected = "abort"
            elif "hold" in verdicts:
                expected = "hold"
            elif "wait" in verdicts:
                expected = "hold" if last_look else "pending"
            else:
                expected = "promote"
            assert found.verdict == expected
            assert found.gates == tuple(gates)


@pytest.mark.parametrize(("last_look", "verdict"), [(False, "pending"), (True, "hold")])
def test_no_gates_at_all_never_promote(last_look: bool, verdict: str) -> None:
    found = combine([], last_look=last_look)
    assert found.verdict == verdict
    assert "no evidence" in found.reason


def test_a_verdict_that_is_unknown_never_promotes() -> None:
    assert combine([Gate("loss", "pass", ""), Gate("new", "perhaps", "")], last_look=False).verdict == "pending"


def test_the_reason_names_the_gates_that_decided_and_no_others() -> None:
    found = combine([Gate("loss", "pass", "is better"), Gate("latency", "abort", "is slow"), Gate("errors", "wait", "few")], last_look=True)
    assert found.reason == "latency: is slow"
    assert combine([Gate("errors", "wait", "few")], last_look=True).reason == "the last look; errors: few"


@given(st.integers(0, 5_000), st.integers(0, 5_000))
def test_a_thinned_path_ends_in_the_present_and_agrees_with_a_longer_one(n: int, more: int) -> None:
    places, later = thinned(n), thinned(n + more)
    assert len(places) <= POINTS
    assert len(set(places.tolist())) == len(places)
    assert (n == 0) == (len(places) == 0)
    if n:
        assert places[-1] == n - 1
        assert set(later[later < n].tolist()) <= set(range(n))
        stride = later[1] - later[0] if len(later) > 1 else 1
        assert set(later[later < n][:-1].tolist()) <= set(places.tolist()) | set(range(stride - 1, n, stride))


@pytest.mark.parametrize("n", [POINTS - 1, POINTS, POINTS + 1, 2 * POINTS - 1, 2 * POINTS + 1, 10**6 + 7])
def test_a_thinned_path_is_no_longer_than_stated(n: int) -> None:
    assert POINTS / 2 - 1 <= len(thinned(n)) <= POINTS


def test_a_test_knows_where_it_crossed_first_and_forgets_it_never() -> None:
    path = np.log([1.0, 19.9, 20.0, 0.5, 30.0])
    test = Test.of("t", "h", 0.05, path, np.array([3, 5, 9, 11, 12]), {"a": 1.0, "b": float("nan")})
    assert (test.rejected, test.rejected_at, test.n) == (True, 9, 12)
    assert test.facts == {"a": 1.0}
    assert test.wealth[-1] == round(np.log10(30), 4)
    assert test.needed == pytest.approx(np.log10(20))
    assert not Test.of("t", "h", 0.04, path[:4], np.arange(4), {}).rejected


def test_evidence_is_finite_json() -> None:
    gate = Gate("g", "pass", "r", (Test.of("t", "h", 0.05, np.zeros(900), np.arange(1, 901), {"x": float("inf"), "y": np.float64(2)}),))
    text = json.dumps(combine([gate], last_look=False).evidence(), allow_nan=False)
    read = json.loads(text)["gates"][0]["tests"][0]
    assert (read["facts"], read["counts"][-1], len(read["log10_wealth"])) == ({"y": 2.0}, 900, len(read["counts"]))
