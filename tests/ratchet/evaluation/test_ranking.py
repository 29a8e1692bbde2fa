import numpy as np
import pytest
import sklearn.metrics as sk

from ratchet.evaluation.bootstrap import Blocks
from ratchet.evaluation.ranking import resampled, roc_curve


def scored(rows: int, seed: int = 0, rate: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = (rng.random(rows) < rate).astype(int)
    return labels, np.round(1 / (1 + np.exp(-(labels + rng.normal(size=rows)))), 3)


def test_the_roc_curve_is_scikit_learns_but_all_its_thresholds_are_finite() -> None:
    labels, scores = scored(2_000)
    curve = roc_curve(labels, scores)
    fpr, tpr, thresholds = sk.roc_curve(labels, scores, drop_intermediate=False)
    assert curve is not None
    assert np.allclose(curve.false_positive_rate, fpr)
    assert np.allclose(curve.true_positive_rate, tpr)
    assert np.allclose(curve.thresholds[1:], thresholds[1:])
    assert np.isfinite(curve.thresholds).all()


def test_a_thinned_roc_curve_keeps_its_ends_and_its_area() -> None:
    curve = roc_curve(*scored(5_000))
    assert curve is not None
    thin = curve.thinned(50)
    assert len(thin.thresholds) <= 51
    ends = [(float(rate[0]), float(rate[-1])) for rate in (thin.false_positive_rate, thin.true_positive_rate)]
    assert ends == [(0.0, 1.0), (0.0, 1.0)]
    whole = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert np.trapezoid(thin.true_positive_rate, thin.false_positive_rate) == pytest.approx(whole, abs=0.005)


@pytest.mark.parametrize(("name", "authority"), [("roc_auc", sk.roc_auc_score), ("average_precision", sk.average_precision_score)])
@pytest.mark.parametrize(("rows", "tolerance"), [(400, 1e-6), (8_000, 2e-3)])
def test_a_resampled_metric_is_scikit_learns_with_sample_weights(name: str, authority: object, rows: int, tolerance: float) -> None:
    """Exact up to 512 different scores of positives; near enough for an interval beyond."""
    labels, scores = scored(rows)
    if rows > 1_000:
        scores = scores + np.random.default_rng(1).normal(0, 1e-4, rows)
    blocks = Blocks.of(rows)
    weights = blocks.draw(3, seed=7)
    got = resampled(name, labels, scores, blocks.index, weights)
    for place in range(3):
        expected = authority(labels, scores, sample_weight=weights[place][blocks.index])  # type: ignore[operator]
        assert got[place] == pytest.approx(expected, abs=tolerance)
