"""Sources made of the real files, and figures computed from a run's artifacts, of the data sets of autoencoders."""

import numpy as np
import polars as pl
import pytest

from ratchet.features.spec import FeatureSpec
from scripts.realdata_autoencoders import decided_right, with_header
from tests.autoencoders import linear_package
from tests.scripts.runs import Run

SPEC = FeatureSpec("anomaly", "normal", {"a": "number", "b": "number"}, ("a", "b"), classes=("1", "0"))


@pytest.mark.realdata
def test_heartbeats_get_a_header_and_the_number_of_their_row_and_are_else_as_they_were(real_data, tmp_path):
    file = real_data("ecg5000/ecg.csv")
    rows = pl.read_csv(with_header(file, tmp_path))
    assert rows.columns == ["row", *(f"t{step}" for step in range(140)), "normal"]
    assert rows["row"].to_list() == list(range(4_998))
    assert dict(rows["normal"].value_counts().iter_rows()) == {1: 2_919, 0: 2_079}
    np.testing.assert_array_equal(rows.drop("row").to_numpy(), pl.read_csv(file, has_header=False).to_numpy())


def test_a_row_is_decided_right_where_it_is_flagged_and_an_anomaly_or_neither(tmp_path):
    rng = np.random.default_rng(0)
    first = rng.standard_normal(400)
    rows = pl.DataFrame({"a": first, "b": first + 0.1 * rng.standard_normal(400), "normal": np.ones(400, dtype=np.int64)})
    package = linear_package(tmp_path / "package", SPEC, rows, latent=1, threshold=0.5)
    holdout = pl.DataFrame({"a": [1.0, 1.0, 3.0, 1.0], "b": [1.0, 1.0, -3.0, -3.0], "normal": [1, 0, 0, 1]})
    run = Run(holdout, package.predict(holdout).tolist(), package=package)
    assert list(package.decide(run.predictions)) == ["1", "1", "0", "0"]
    assert decided_right(run, tmp_path) == {"accuracy": 0.5, "always_normal": 0.5}
