"""The face of register: a version, once, also when KFP brings the generation as a float."""

import pytest


@pytest.mark.slow
def test_the_same_registration_twice_gives_one_version(runs):
    assert runs.register("run-1", 0) == ("1",)
    assert runs.register("run-1", 0.0) == ("1",)
