from pathlib import Path

import polars as pl
import pytest
from kfp.dsl import Dataset, Markdown, Metrics, Model

from components.deployment.encode.component import encode
from ratchet.data.tables import read_dataset, write_dataset
from ratchet.errors import PackageError
from ratchet.features.spec import FeatureSpec
from tests.autoencoders import linear_package

TABLE = pl.DataFrame(
    {
        "machine": [f"m{place % 5}" for place in range(400)],
        "heat": [20.0 + place % 7 for place in range(400)],
        "load": [2 * (20.0 + place % 7) + 0.01 * (place % 3) for place in range(400)],
    }
)
SPEC = FeatureSpec("anomaly", "", {"heat": "number", "load": "number"}, ("heat", "load"), ("normal", "anomaly"), key=("machine",))


@pytest.fixture
def given(tmp_path: Path) -> dict:
    linear_package(tmp_path / "model", SPEC, TABLE, latent=1)
    rows = TABLE.with_columns(load=pl.when(pl.int_range(400) == 123).then(0.0).otherwise("load"))
    write_dataset(rows, tmp_path / "rows", source="test")
    made = {"embeddings": Dataset, "scores": Metrics, "summary": Markdown}
    outputs = {name: kind(name=name, uri=str(tmp_path / name)) for name, kind in made.items()}
    return {"rows": Dataset(uri=str(tmp_path / "rows")), "model": Model(uri=str(tmp_path / "model")), **outputs}


def test_the_row_that_is_off_is_an_anomaly_and_says_by_what(given: dict) -> None:
    encoded, anomalies, share = encode.python_func(**given)
    found = read_dataset(given["embeddings"].path)
    assert found.columns == ["machine", "embedding_0", "error", "anomaly", "top_column", "top_share"]
    assert (encoded, anomalies) == (400, found["anomaly"].sum())
    assert share == anomalies / 400
    assert found["anomaly"][123]
    assert found["error"].arg_max() == 123
    assert found["machine"].to_list() == TABLE["machine"].to_list()
    assert given["embeddings"].metadata["rows"] == "400"
    assert given["scores"].metadata["anomalies"] == str(anomalies)
    assert "What anomalies are seen by" in Path(given["summary"].path).read_text(encoding="utf-8")


def test_columns_are_kept_as_asked(given: dict) -> None:
    encode.python_func(**given, keep=["load"])
    assert read_dataset(given["embeddings"].path).columns[:2] == ["load", "embedding_0"]


def test_what_is_no_package_is_refused(given: dict) -> None:
    with pytest.raises(PackageError, match="pass a model package"):
        encode.python_func(**{**given, "model": Model(uri=given["rows"].path)})
