import numpy as np

from ratchet.evaluation.curves import curves_of


def test_a_row_at_the_threshold_is_flagged() -> None:
    assert curves_of("binary", np.array([0, 1]), np.array([0.5, 0.5]), 0.5, ("no", "yes")).confusion == ((0, 1), (0, 1))


def test_scores_are_shares_of_each_class() -> None:
    scores = curves_of("binary", np.array([0, 0, 1]), np.array([0.01, 0.99, 1.0]), 0.5, ("no", "yes")).scores
    assert (scores["no"][0], scores["no"][-1], scores["yes"][-1]) == (0.5, 0.5, 1.0)


def test_a_class_that_the_model_does_not_know_is_not_in_the_matrix() -> None:
    curves = curves_of("multiclass", np.array([0, 1, -1]), np.eye(3)[[0, 1, 2]], 0.5, ("a", "b", "c"))
    assert curves.confusion == ((1, 0, 0), (0, 1, 0), (0, 0, 0))
    assert curves.roc is None


def test_errors_have_a_roc_curve_and_bins_of_their_own_and_no_calibration() -> None:
    curves = curves_of("anomaly", np.array([0, 0, 1]), np.array([0.5, 2.0, 50.0]), 2.0, ("ok", "defect"))
    assert curves.confusion == ((1, 1), (0, 1))
    assert curves.roc is not None
    assert curves.roc.true_positive_rate.tolist() == [0.0, 1.0, 1.0, 1.0]
    assert curves.calibration == ()
    assert (curves.edges[0], curves.edges[-1]) == (0.5, 50.0)
    assert (curves.scores["ok"][0], curves.scores["defect"][-1]) == (0.5, 1.0)
