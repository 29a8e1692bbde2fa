import json

import pytest

from ratchet.errors import PackageError
from ratchet.features.spec import FeatureSpec
from ratchet.models.description import Description

SPEC = FeatureSpec("binary", "y", {"x": "number", "c": "string"}, ("x", "c"), ("no", "yes"))
SAID = Description("catboost", SPEC, 0.25, {"trees": 3, "depth": 6}, 7, "rows:abc", ("x",))


def test_it_is_the_same_after_json_and_has_one_form_only():
    again = Description.from_json(SAID.to_json(), "model")
    assert again == SAID
    assert again.to_json() == SAID.to_json()
    other_order = Description("catboost", SPEC, 0.25, {"depth": 6, "trees": 3}, 7, "rows:abc", ("x",))
    assert other_order.to_json() == SAID.to_json()


def test_kind_nullability_and_category_policy_of_each_input_are_told():
    assert SAID.input_schema() == {
        "x": {"kind": "number", "nullable": True},
        "c": {"kind": "string", "nullable": False, "categories": "open"},
    }


@pytest.mark.parametrize("part", ["format", "kind", "spec", "input_schema", "threshold", "parameters", "seed", "training_digest"])
def test_a_part_that_is_not_there_is_an_error(part):
    values = json.loads(SAID.to_json())
    del values[part]
    with pytest.raises(PackageError, match=r"'model': ratchet.json is not readable"):
        Description.from_json(json.dumps(values), "model")


@pytest.mark.parametrize("text", ["", "[]", "null", '{"format": 1}'])
def test_what_is_no_description_is_an_error(text):
    with pytest.raises(PackageError, match=r"ratchet.json is not readable"):
        Description.from_json(text, "model")
