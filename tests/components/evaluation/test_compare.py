import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kfp.dsl import HTML, Dataset, Markdown, Metrics, Model

from components.evaluation.compare.component import compare
from ratchet.errors import ParameterError

pytestmark = pytest.mark.slow  # a trained model


def compared(january: Path, champion: str, made: dict[str, Any]) -> tuple[str, str, float, float]:
    models = Model(uri=str(january / "model")), Model(uri=str(january / champion))
    result: tuple[str, str, float, float] = compare.python_func(*models, Dataset(uri=str(january / "holdout")), **made)
    return result


def test_the_first_model_is_released_when_it_beats_the_best_constant(january: Path, outputs: Callable[..., dict[str, Any]]) -> None:
    made = outputs(scores=Metrics, report=HTML, summary=Markdown)
    verdict, reason, challenger, champion = compared(january, "nobody", made)
    assert (verdict, challenger < champion) == ("release", True)
    assert reason.startswith("Loss 0.")
    assert reason in Path(made["summary"].path).read_text(encoding="utf-8")
    assert made["scores"].metadata["opponent"] == "naive baseline"
    assert Path(made["report"].path).stat().st_size > 1_000


def test_the_champion_again_is_rejected_with_finite_losses(january: Path, outputs: Callable[..., dict[str, Any]]) -> None:
    made = outputs(scores=Metrics, report=HTML, summary=Markdown)
    verdict, reason, *losses = compared(january, "model", made)
    assert (verdict, "nothing to gain" in reason) == ("reject", True)
    assert all(math.isfinite(loss) for loss in losses)


def test_without_labels_an_autoencoder_must_find_injected_anomalies(meters: Path, outputs: Callable[..., dict[str, Any]]) -> None:
    made = outputs(scores=Metrics, report=HTML, summary=Markdown)
    models = Model(uri=str(meters / "model")), Model(uri=str(meters / "nobody"))
    how = {"kinds": ["spike"], "share": 0.1, "seed": 7.0}
    verdict, _, challenger, champion = compare.python_func(*models, Dataset(uri=str(meters / "holdout")), **made, injected=how)
    assert (verdict, champion) == ("release", pytest.approx(0.1))
    assert challenger < 0.01
    assert "80 spike (share 0.1, strength 4, seed 7)" in Path(made["summary"].path).read_text(encoding="utf-8")


def test_an_autoencoder_is_no_challenger_of_a_boosting_model(january: Path, meters: Path, outputs: Callable[..., dict[str, Any]]) -> None:
    made = outputs(scores=Metrics, report=HTML, summary=Markdown)
    models = Model(uri=str(meters / "model")), Model(uri=str(january / "model"))
    with pytest.raises(
        ParameterError, match=r"what is unusual \(anomaly, no labels\) and the champion 'fraud' \(binary.*under another name"
    ):
        compare.python_func(*models, Dataset(uri=str(meters / "holdout")), **made)
