"""Alpha is spent once: the shares of the gates that may abort add up to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.delivery.judge.alpha import alpha_share, check_alpha
from ratchet.errors import JudgeError


@given(st.floats(1e-6, 0.5), st.lists(st.sampled_from(["loss", "latency", "errors", "ratio", "revenue"]), min_size=1, unique=True))
def test_shares_add_up_to_alpha_and_each_gate_has_one(alpha: float, gates: list[str]) -> None:
    shares = alpha_share(alpha, gates)
    assert list(shares) == gates
    assert sum(shares.values()) == pytest.approx(alpha)
    assert min(shares.values()) > 0


def test_the_loss_gets_half_beside_others() -> None:
    assert alpha_share(0.08, ["latency", "loss", "errors", "ratio", "revenue"]) == {
        **{"latency": 0.01, "loss": 0.04, "errors": 0.01},
        **{"ratio": 0.01, "revenue": 0.01},
    }
    assert alpha_share(0.04, ["latency", "errors"]) == {"latency": 0.02, "errors": 0.02}


@pytest.mark.parametrize("gates", [[], ["loss", "loss"]])
def test_gates_must_be_named_once(gates: list[str]) -> None:
    with pytest.raises(JudgeError, match="each once"):
        alpha_share(0.05, gates)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, float("nan"), 20])
def test_an_alpha_that_is_no_probability_of_error_is_refused(alpha: float) -> None:
    with pytest.raises(JudgeError, match="not between 0 and 1"):
        check_alpha(0.05, alpha)
