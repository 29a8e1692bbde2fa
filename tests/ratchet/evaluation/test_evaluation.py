"""What an evaluation says, and what it leaves out when there is nothing to say."""

from types import SimpleNamespace

from ratchet.evaluation.evaluation import Evaluation, SliceEvaluation
from ratchet.evaluation.latency import Latency

METRICS = {"loss": 0.125, "rmse": 0.5, "r2": float("nan")}


def evaluation(**changes: object) -> Evaluation:
    latency = Latency(**dict.fromkeys(Latency.__dataclass_fields__, 1.0))
    values = {
        "task": "regression",
        "primary_name": "rmse",
        "primary_metric": 0.5,
        "metrics": METRICS,
        "loss_told": "absolute error over 4",
        "rows": 1234,
        "unlabelled": 6,
        "threshold": None,
        "latency": latency,
    }
    return Evaluation(**{**values, **changes})  # type: ignore[arg-type]


def test_the_reason_names_the_primary_metric_the_loss_and_the_rows() -> None:
    assert evaluation().page().reason == "RMSE 0.5, loss 0.125, on 1,234 rows."


def test_a_metric_that_is_no_number_is_named_and_left_out() -> None:
    sink = SimpleNamespace(metadata={})
    evaluation().log_to(sink)
    assert "r2" not in sink.metadata
    assert "r2" in sink.metadata["left_out_as_not_finite"]


def test_a_regression_has_no_curves_to_log() -> None:
    class Refuses:
        def log_confusion_matrix(self, *_: object) -> None:
            raise AssertionError("a regression has no confusion matrix")

        log_roc_curve = log_confusion_matrix

    evaluation().log_curves_to(Refuses())


def test_slices_stand_in_the_page(tmp_path) -> None:
    evaluation(slices=(SliceEvaluation("city = Bern", 200, 0.1, 0.4, None),)).write_html(tmp_path / "p.html")
    assert "city = Bern" in (tmp_path / "p.html").read_text(encoding="utf-8")
