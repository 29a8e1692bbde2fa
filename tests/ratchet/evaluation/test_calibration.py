import numpy as np
from sklearn.calibration import calibration_curve

from ratchet.evaluation.calibration import calibration_bins, calibration_error


def test_bins_are_scikit_learns_quantile_bins() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(1_000)
    labels = (rng.random(1_000) < scores**2).astype(int)
    observed, predicted = calibration_curve(labels, scores, n_bins=10, strategy="quantile")
    bins = calibration_bins(labels, scores, 10)
    assert np.allclose([b.observed for b in bins], observed, atol=0.011)  # quantiles between two rows fall on either
    assert np.allclose([b.predicted for b in bins], predicted, atol=0.011)
    assert sum(b.rows for b in bins) == 1_000


def test_the_error_is_small_for_honest_probabilities_and_large_for_boasting_ones() -> None:
    rng = np.random.default_rng(1)
    scores = rng.random(20_000)
    labels = (rng.random(20_000) < scores).astype(int)
    assert calibration_error(labels, scores) < 0.02
    assert calibration_error(labels, np.where(scores > 0.5, 0.99, 0.01)) > 0.2
