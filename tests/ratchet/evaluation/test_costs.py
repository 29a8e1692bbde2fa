from pathlib import Path

import pytest

from ratchet.errors import ParameterError
from ratchet.evaluation.costs import stated_costs
from ratchet.models.package import ModelPackage

pytestmark = pytest.mark.realdata


def test_the_models_own_costs_hold_until_others_are_stated(adult: tuple[Path, Path]) -> None:
    model = ModelPackage.load(adult[0])
    assert stated_costs(model) == (1.0, 1.0)
    assert stated_costs(model, cost_false_negative=20.0) == (20.0, 1.0)


def test_a_negative_cost_is_refused_by_name(adult: tuple[Path, Path]) -> None:
    with pytest.raises(ParameterError, match="cost_false_positive -1 must be above 0"):
        stated_costs(ModelPackage.load(adult[0]), cost_false_positive=-1.0)
