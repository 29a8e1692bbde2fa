"""The small pipeline's functions make the plain script's model."""

import pandas as pd
import pytest

from scripts import bench_plain, bench_small


@pytest.mark.realdata
def test_its_rows_are_those_of_the_plain_script(real_data):
    path = real_data("elec2/electricity-normalized.csv")
    parts = bench_small.split(bench_small.validate(bench_small.ingest(str(path))))
    for mine, right in zip(parts, bench_plain.elec2(path)[:3], strict=True):
        pd.testing.assert_frame_equal(mine[list(right)], right)


def test_what_nothing_can_be_learnt_from_is_refused():
    rows = pd.DataFrame({"class": ["UP"] * 200, "x": 1.0})
    with pytest.raises(ValueError, match="not two classes"):
        bench_small.validate(rows)


def test_a_model_is_trained_and_measured():
    rows = pd.DataFrame({"x": [0.0, 1.0] * 100, "class": [0, 1] * 100})
    assert bench_small.evaluate(bench_small.train(rows, rows), rows) == 1.0
