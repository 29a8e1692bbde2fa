"""The face of champion: marks of absence first, then the very package that was promoted."""

from pathlib import Path

import pytest

from ratchet.data.absent import is_absent


@pytest.mark.slow
def test_all_three_artifacts_are_there_before_and_after_the_first_promotion(runs):
    assert runs.champion("run-1") == ("no", "", 0, "run-1")
    assert is_absent(runs.found["package"].path)
    assert is_absent(runs.found["reference"].path)
    assert runs.read(runs.found["schema"]).endswith("{}\n")
    assert runs.found["package"].metadata["found"] == "no"

    (version,) = runs.register("run-1", 0)
    runs.promote("run-1", version, 0)
    assert runs.champion("run-1") == ("yes", "1", 1, "run-1")
    for file in runs.package.iterdir():
        assert (Path(runs.found["package"].path) / file.name).read_bytes() == file.read_bytes()
    assert runs.found["package"].metadata["version"] == "1"
