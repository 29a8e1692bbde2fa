from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kfp.dsl import HTML, ClassificationMetrics, Dataset, Metrics, Model

from components.evaluation.evaluate.component import evaluate

pytestmark = pytest.mark.slow  # a trained model


def test_a_model_is_measured_and_every_output_is_written(january: Path, outputs: Callable[..., dict[str, Any]]) -> None:
    made = outputs(scores=Metrics, curves=ClassificationMetrics, report=HTML)
    model, holdout = Model(uri=str(january / "model")), Dataset(uri=str(january / "holdout"))
    (primary,) = evaluate.python_func(model, holdout, **made, slice_columns=["channel"])
    assert primary == made["scores"].metadata["average_precision"] > 0.2
    assert made["curves"].metadata["confusionMatrix"]
    assert made["curves"].metadata["confidenceMetrics"]
    assert "channel = online" in Path(made["report"].path).read_text(encoding="utf-8")


def test_without_labels_an_autoencoder_is_measured_on_injected_anomalies(meters: Path, outputs: Callable[..., dict[str, Any]]) -> None:
    made = outputs(scores=Metrics, curves=ClassificationMetrics, report=HTML)
    model, holdout = Model(uri=str(meters / "model")), Dataset(uri=str(meters / "holdout"))
    (primary,) = evaluate.python_func(model, holdout, **made, injected={"kinds": ["spike", "swap"], "share": 0.1, "seed": 7.0})
    assert primary == made["scores"].metadata["average_precision"] > 0.8
    assert {"recall_spike", "recall_swap", "false_alarm_rate"} <= set(made["scores"].metadata)
    assert "recall_drift" not in made["scores"].metadata
    assert made["curves"].metadata["confusionMatrix"]
    assert "(share 0.1, strength 4, seed 7)" in Path(made["report"].path).read_text(encoding="utf-8")
