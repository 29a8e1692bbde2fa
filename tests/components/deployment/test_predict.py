from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from kfp.dsl import Dataset, Markdown, Metrics, Model

from components.deployment.predict.component import predict
from ratchet.data.tables import read_dataset
from ratchet.models.package import ModelPackage

pytestmark = pytest.mark.slow  # a trained model


@pytest.fixture
def predicted(runs: Any, tmp_path: Path) -> dict[str, Any]:
    made = {"predictions": Dataset, "scores": Metrics, "summary": Markdown}
    outputs = {name: kind(name=name, uri=str(tmp_path / name)) for name, kind in made.items()}
    given = {"rows": Dataset(uri=str(runs.folder / "train")), "model": Model(uri=str(runs.package)), **outputs}
    assert predict.python_func(**given) == (read_dataset(runs.folder / "train").height,)
    return given


def test_every_row_is_predicted_and_decided(predicted: dict[str, Any]) -> None:
    package, rows = ModelPackage.load(predicted["model"].path), read_dataset(predicted["rows"].path)
    found = read_dataset(predicted["predictions"].path)
    assert np.array_equal(found["prediction"].to_numpy(), package.predict(rows))
    assert found["decision"].to_list() == package.decide(package.predict(rows)).tolist()
    assert predicted["predictions"].metadata["rows"] == predicted["scores"].metadata["rows"] == str(rows.height)


def test_the_summary_says_how_often_each_class_was_decided_for(predicted: dict[str, Any]) -> None:
    summary = Path(predicted["summary"].path).read_text(encoding="utf-8")
    decisions = read_dataset(predicted["predictions"].path)["decision"].value_counts(name="rows")
    for name, count in decisions.iter_rows():
        assert f"{name} | {count}" in summary
    assert pl.Series(decisions["rows"]).sum() == int(predicted["scores"].metadata["rows"])
