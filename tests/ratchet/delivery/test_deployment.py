"""The states and their names."""

import pytest

from ratchet.delivery.deployment import Deployment, ModelRef, check_name
from ratchet.errors import ParameterError


def test_a_promotion_ends_a_trial_that_was_running():
    trial = Deployment("fraud", challenger=ModelRef("2", "sha256:bb", "/2"), phase="canary", percent=10, generation=4)
    after = trial.promoted(ModelRef("3", "sha256:cc", "/3"))
    assert (after.challenger, after.phase, after.percent, after.generation) == (None, "stable", 0, 5)


def test_a_state_survives_its_json():
    state = Deployment("fraud", ModelRef("1", "d", "u"), None, ModelRef("2", "e", "v"), "shadow", 5, 7, 3)
    assert Deployment.from_json(state.as_json()) == state


@pytest.mark.parametrize("name", ["a", "card-fraud", "v2.fraud_EU", "x" * 100])
def test_ordinary_names_are_taken(name):
    assert check_name(name) == name


def test_a_newline_at_the_end_is_not_overlooked():
    with pytest.raises(ParameterError):
        check_name("fraud\n")
