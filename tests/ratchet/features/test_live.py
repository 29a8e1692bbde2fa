import json

import pytest

from ratchet.data.absent import write_absent
from ratchet.errors import ExpressionError, PackageError
from ratchet.features.live import live_target, read_live_spec, read_training_digest, with_live_windows
from ratchet.features.spec import FeatureSpec
from ratchet.features.windows import Window

OLD = Window("n", "card", "count", over="7d")
SPEC = FeatureSpec("binary", "y", {"n": "integer"}, (), ("0", "1"), windows=(OLD,))


def test_without_a_live_model_there_is_nothing(tmp_path):
    write_absent(tmp_path / "none", "no champion yet")
    assert read_live_spec(None) is None
    assert read_live_spec(tmp_path / "none") is None
    assert live_target(None) is None
    assert (read_training_digest(None), read_training_digest(tmp_path / "none")) == ("", "")
    assert with_live_windows([OLD], None) == [OLD]


def test_the_live_models_specification_is_in_its_package(tmp_path):
    (tmp_path / "ratchet.json").write_text(json.dumps({"spec": SPEC.to_dict(), "training_digest": "rows:1"}))
    assert read_live_spec(tmp_path) == SPEC
    assert read_training_digest(tmp_path) == "rows:1"
    assert live_target(SPEC).positive == "1"


@pytest.mark.parametrize("text", [None, "{", "{}"])
def test_a_folder_that_is_no_package_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "ratchet.json").write_text(text)
    with pytest.raises(PackageError, match="is no model package"):
        read_live_spec(tmp_path)


def test_windows_of_both_are_computed_once_each_and_a_name_means_one_thing():
    new = Window("m", "card", "count", over="30d")
    assert with_live_windows([new, OLD], SPEC) == [new, OLD]
    assert with_live_windows([new], SPEC) == [new, OLD]
    with pytest.raises(ExpressionError, match="'n' is defined otherwise in the live model"):
        with_live_windows([Window("n", "card", "count", over="1d")], SPEC)
