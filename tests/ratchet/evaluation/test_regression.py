import numpy as np
import pytest
import sklearn.metrics as sk

from ratchet.evaluation.regression import regression_metrics


def test_metrics_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    labels = rng.normal(10, 3, 500)
    predictions = labels + rng.normal(size=500)
    got = regression_metrics(labels, predictions)
    assert got["rmse"] == pytest.approx(sk.root_mean_squared_error(labels, predictions))
    assert got["mae"] == pytest.approx(sk.mean_absolute_error(labels, predictions))
    assert got["r2"] == pytest.approx(sk.r2_score(labels, predictions))
    assert got["mape"] == pytest.approx(sk.mean_absolute_percentage_error(labels, predictions))


def test_rows_whose_target_is_zero_are_left_out_of_mape_and_counted() -> None:
    got = regression_metrics(np.array([0.0, 10.0]), np.array([5.0, 11.0]))
    assert (got["mape"], got["mape_rows_left_out"]) == (0.1, 1.0)


def test_a_constant_target_has_no_r2() -> None:
    assert np.isnan(regression_metrics(np.array([1.0, 1.0]), np.array([1.0, 2.0]))["r2"])
