import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kfp.dsl import HTML, Dataset, Markdown, Metrics, Model

from components.evaluation.compare.component import compare


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


@pytest.mark.slow
def test_the_champion_again_is_rejected_with_finite_losses(january: Path, outputs: Callable[..., dict[str, Any]]) -> None:
    made = outputs(scores=Metrics, report=HTML, summary=Markdown)
    verdict, reason, *losses = compared(january, "model", made)
    assert (verdict, "nothing to gain" in reason) == ("reject", True)
    assert all(math.isfinite(loss) for loss in losses)
