"""Metrics of errors agree with scikit-learn's, and an alarm is put down to the column that raised it."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ratchet.evaluation.alarms import anomaly_metrics, error_edges, error_shares, flagged_columns, recall_by_kind
from ratchet.evaluation.injection import Injected, Injection
from ratchet.features.spec import FeatureSpec
from tests.autoencoders import linear_package

RNG = np.random.default_rng(0)


def test_the_metrics_are_scikit_learns() -> None:
    labels = (RNG.random(500) < 0.1).astype(np.int64)
    errors = RNG.gamma(1 + 2 * labels)
    found = anomaly_metrics(labels, errors, 2.5, cost_false_negative=9.0, cost_false_positive=2.0)
    flagged = errors >= 2.5
    (quiet, false), (missed, _) = sk.confusion_matrix(labels, flagged)
    assert found == pytest.approx(
        {
            "roc_auc": sk.roc_auc_score(labels, errors),
            "average_precision": sk.average_precision_score(labels, errors),
            "precision": sk.precision_score(labels, flagged),
            "recall": sk.recall_score(labels, flagged),
            "f1": sk.f1_score(labels, flagged),
            "false_alarm_rate": false / (false + quiet),
            "alarm_rate": flagged.mean(),
            "balanced_accuracy": sk.balanced_accuracy_score(labels, flagged),
            "accuracy": sk.accuracy_score(labels, flagged),
            "expected_cost": (9 * missed + 2 * false) / 500,
        }
    )


def test_a_row_at_the_threshold_is_an_alarm_and_what_cannot_be_known_is_no_number() -> None:
    found = anomaly_metrics(np.array([0, 0]), np.array([1.0, 2.0]), 2.0)
    assert found["false_alarm_rate"] == found["alarm_rate"] == 0.5
    assert np.isnan([found[name] for name in ("recall", "roc_auc", "balanced_accuracy")]).all()


def test_recall_is_told_by_kind() -> None:
    made = Injected(pl.DataFrame(), np.array(["", "spike", "spike", "drift", ""]), Injection())
    assert recall_by_kind(made, np.array([9.0, 3.0, 1.0, 2.0, 0.0]), 2.0) == {"spike": 0.5, "drift": 1.0}


@given(errors=arrays(np.float64, st.integers(1, 50), elements=st.floats(0, 1e300)))
def test_every_error_has_a_bin_whatever_its_size(errors: np.ndarray) -> None:
    edges = error_edges(errors)
    assert len(edges) == 41
    assert (np.diff(edges) > 0).all()
    assert edges[0] > 0
    shares = error_shares(np.zeros(len(errors), dtype=np.int64), errors, edges, ("normal", "anomaly"))
    assert sum(shares["normal"]) == pytest.approx(1)
    assert sum(shares["anomaly"]) == 0


def test_bins_have_one_ratio_and_reach_six_decades_down() -> None:
    edges = error_edges(np.array([0.0, 1e-9, 5.0, 1e3]))
    assert edges[0] == pytest.approx(1e-3)
    assert np.allclose(edges[1:] / edges[:-1], edges[1] / edges[0])
    shares = error_shares(np.array([0, 0, 0, 1]), np.array([0.0, 1e-9, 5.0, 1e3]), edges, ("0", "1"))
    assert (shares["0"][0], shares["1"][-1]) == (pytest.approx(2 / 3), 1.0)


def test_an_alarm_is_put_down_to_the_column_that_raised_it(tmp_path: Path) -> None:
    level = RNG.normal(size=1_000)
    rows = pl.DataFrame({name: level + 0.1 * RNG.normal(size=1_000) for name in ("a", "b", "c", "d")})
    spec = FeatureSpec("anomaly", "", dict.fromkeys(rows.columns, "number"), tuple(rows.columns), classes=("normal", "anomaly"))
    model = linear_package(tmp_path / "model", spec, rows, latent=1)
    wrong = rows.with_row_index().with_columns(c=pl.when(pl.col("index") < 50).then(6.0).otherwise(pl.col("c"))).drop("index")
    errors = model.predict(wrong)
    blamed = flagged_columns(model, wrong, errors, 0.5)
    assert next(iter(blamed)) == "c"
    assert blamed["c"] > 0.5
    assert sum(blamed.values()) == pytest.approx(1)
    assert flagged_columns(model, rows, model.predict(rows), 1e9) == {}
