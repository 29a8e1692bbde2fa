from collections.abc import Callable
from pathlib import Path
from typing import Any

from kfp.dsl import HTML, ClassificationMetrics, Dataset, Metrics, Model

from components.evaluation.evaluate.component import evaluate


def test_a_model_is_measured_and_every_output_is_written(january: Path, outputs: Callable[..., dict[str, Any]]) -> None:
    made = outputs(scores=Metrics, curves=ClassificationMetrics, report=HTML)
    model, holdout = Model(uri=str(january / "model")), Dataset(uri=str(january / "holdout"))
    (primary,) = evaluate.python_func(model, holdout, **made, slice_columns=["channel"])
    assert primary == made["scores"].metadata["average_precision"] > 0.2
    assert made["curves"].metadata["confusionMatrix"]
    assert made["curves"].metadata["confidenceMetrics"]
    assert "channel = online" in Path(made["report"].path).read_text(encoding="utf-8")
