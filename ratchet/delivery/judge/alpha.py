"""How the probability of a wrong verdict is spent: the only place where an alpha is divided.

- A wrong promotion: every gate must pass, so it takes an error of the gate that is right to object. Each null that stands in the way of a
  promotion is therefore tested at the full alpha (an intersection–union test), and a challenger that is worse by the margin is promoted
  with a probability of at most alpha, whatever the other gates do.
- A wrong abort: one gate is enough, so the errors of the gates add up (Bonferroni), and each gets its share of alpha. A hold for a broken
  split counts as one of them. The loss gets half, because it alone is right by design about what the rollout is for, and a large share
  there saves the most requests: a share twice as large saves about one pair in eight.

What is spent lasts for one rollout, however often it is looked at. The watch after a promotion is a second decision with its own alpha.

Source:
    Berger, "Multiparameter hypothesis testing and acceptance sampling", Technometrics 24 (1982), for the first; Bonferroni for the second.
"""

from collections.abc import Sequence

from ratchet.errors import JudgeError

LOSS = "loss"


def alpha_share(alpha: float, gates: Sequence[str]) -> dict[str, float]:
    """Return by gate the alpha at which it may abort or hold; they sum to alpha.

    Args:
        alpha: In (0, 1): probability that a challenger with no fault at all is aborted or held by any gate.
        gates: Names of all the gates that this rollout will ever ask, fixed when it begins. "loss" gets half.

    Raises:
        JudgeError: alpha is not in (0, 1), there is no gate, or one is named twice.

    >>> alpha_share(0.05, ["loss", "latency", "errors"])
    {'loss': 0.025, 'latency': 0.0125, 'errors': 0.0125}
    >>> alpha_share(0.05, ["loss"])
    {'loss': 0.05}
    """
    check_alpha(alpha)
    if not gates or len(set(gates)) < len(gates):
        raise JudgeError(f"gates {list(gates)}: name at least one, and each once")
    others = [name for name in gates if name != LOSS]
    halves = 2 if LOSS in gates and others else 1
    return {name: alpha / halves if name == LOSS else alpha / halves / len(others) for name in gates}


def check_alpha(*alphas: float) -> None:
    """Refuse an alpha that is no probability of error.

    Raises:
        JudgeError: one is not in (0, 1).
    """
    for alpha in alphas:
        if not 0 < alpha < 1:
            raise JudgeError(f"alpha {alpha!r} is not between 0 and 1; give e.g. 0.05")
