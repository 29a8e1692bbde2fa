"""A policy is read from what a pipeline passes, and what cannot be one is refused with the field, the value and the remedy."""

import pytest

from ratchet.delivery.policy import Metric, Policy
from ratchet.errors import ParameterError


def test_what_was_written_is_read_again():
    policy = Policy.parse({"strategy": "ab", "steps": [30.0], "watch": "2w", "metrics": [{"name": "clicks", "expression": "label"}]})
    assert Policy.parse(policy.as_dict()) == policy
    assert policy.metrics == (Metric("clicks", "label"),)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"startegy": "ab"}, "unknown field 'startegy'.*strategy"),
        ({"strategy": "canry"}, "'canry' is unknown.*canary"),
        ({"steps": [50, 5]}, r"steps \[50, 5\].*rising percentages"),
        ({"steps": []}, r"steps \[\]"),
        ({"steps": [0, 5]}, r"steps \[0, 5\]"),
        ({"steps": [5, 100]}, r"steps \[5, 100\]"),
        ({"steps": ["five"]}, "steps cannot be"),
        ({"alpha": 0}, "alpha 0.0"),
        ({"alpha": float("nan")}, "alpha nan"),
        ({"margin": 0}, "margin 0"),
        ({"margin": -0.1}, "margin -0.1"),
        ({"margin": "small"}, "margin cannot be 'small'"),
        ({"label_delay": "7 days"}, "label_delay cannot be '7 days'.*7d"),
        ({"deadline": float("inf")}, "deadline inf"),
        ({"shadow": "yes"}, "shadow cannot be 'yes'"),
        ({"minimum_requests": 1.5}, "minimum_requests cannot be 1.5"),
        ({"metrics": [{"name": "x"}]}, "metrics cannot be"),
    ],
    ids=str,
)
def test_what_cannot_be_a_policy_is_refused_by_name(values, told):
    with pytest.raises(ParameterError, match=told):
        Policy.parse(values)
