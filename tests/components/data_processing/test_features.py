import json
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from kfp import dsl

from components.data_processing.features.component import features
from ratchet.data.absent import write_absent
from ratchet.data.tables import read_dataset, write_dataset
from ratchet.errors import ExpressionError, ParameterError, SchemaError

ROWS = pl.DataFrame(
    {
        "id": range(200),
        "card": [i % 61 for i in range(200)],
        "at": [datetime(2024, 5, 1) + timedelta(hours=i) for i in range(200)],
        "amount": [float(i % 7) for i in range(200)],
        "fraud": [i % 8 == 0 for i in range(200)],
    }
)
WINDOWS = [{"name": "n_2d", "by": "card", "aggregate": "count", "over": "2d"}]


def run(folder: Path, **parameters: object) -> tuple[int, int, int]:
    write_dataset(ROWS, folder / "data", source="test", time_column="at")
    write_absent(folder / "champion", "no champion yet")
    outputs = {name: dsl.Dataset(uri=str(folder / name)) for name in ("train", "validation", "holdout", "table")}
    made = features.python_func(
        data=dsl.Dataset(uri=str(folder / "data")),
        champion=dsl.Model(uri=str(folder / "champion")),
        **outputs,
        specification=dsl.Artifact(uri=str(folder / "specification.json")),
        summary=dsl.Markdown(uri=str(folder / "summary.md")),
        **{"target": "fraud", "time_column": "at", "key_columns": ["id"], "windows": WINDOWS, **parameters},
    )
    assert outputs["train"].metadata["rows"] == str(made[0])
    assert all(isinstance(value, str) for output in outputs.values() for value in output.metadata.values())
    return made


def test_three_datasets_a_specification_and_a_summary_come_out(tmp_path):
    assert run(tmp_path, expressions={"log_amount": "ln(1 + amount)"}) == (128, 32, 40)
    assert read_dataset(tmp_path / "holdout").columns == [*ROWS.columns, "n_2d"]
    specification = json.loads((tmp_path / "specification.json").read_text())
    assert specification["plain"] == ["amount"]
    assert specification["classes"] == ["false", "true"]
    assert "| holdout | 40 |" in (tmp_path / "summary.md").read_text()


def test_every_boundary_reaches_the_split(tmp_path):
    boundaries = {"train_from": "2024-05-02", "train_until": "2024-05-05", "holdout_from": "2024-05-07", "holdout_until": "2024-05-09"}
    train, validation, rows = run(tmp_path, **boundaries, label_delay="1d", known_by="card", validation_share=0.25)
    assert (train, validation) == (54, 18)
    assert 0 < rows < 48, "some cards are known by then"
    holdout = read_dataset(tmp_path / "holdout")
    assert holdout["at"].min() >= datetime(2024, 5, 7)
    assert holdout["at"].max() < datetime(2024, 5, 9)


def test_what_stands_in_for_missing_values_reaches_the_specification(tmp_path):
    run(tmp_path, impute={"amount": {"value": "median", "flag": "amount_missing"}, "n_2d": 0.0})
    specification = json.loads((tmp_path / "specification.json").read_text())
    assert [one["value"] for one in specification["impute"]] == [3.0, 0]
    assert "| amount | median | 3.0 | amount_missing | 0 | 0 | 0 |" in (tmp_path / "summary.md").read_text()


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"impute": {"amount": "medain"}}, ParameterError, "did you mean 'median'"),
        ({"impute": {"fraud": False}}, SchemaError, "'fraud' is the target"),
        ({"expressions": {"f": "read_csv('/etc/passwd')"}}, ExpressionError, "READ_CSV"),
        ({"expressions": {"f": "amount; amount"}}, ExpressionError, "'f'"),
        ({"windows": [{"name": "n", "by": "card", "aggregate": "median"}]}, ExpressionError, "no aggregate 'median'"),
        ({"holdout_share": 1.5}, ParameterError, "holdout_share is 1.5"),
        ({"label_delay": "a week"}, ExpressionError, "label_delay is 'a week'"),
        ({"task": "clasification"}, ParameterError, "task 'clasification' is unknown"),
        ({"target": ""}, ParameterError, "target is empty, .* name the column to predict, or set task=anomaly"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_refused_and_nothing_is_half_written(tmp_path, parameters, error, message):
    with pytest.raises(error, match=message):
        run(tmp_path, **parameters)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["champion", "data"]


def test_rows_without_labels_are_split_when_the_task_is_anomaly(tmp_path):
    assert run(tmp_path, target="", task="anomaly", drop_columns=["fraud"]) == (128, 32, 40)
    specification = json.loads((tmp_path / "specification.json").read_text())
    assert (specification["task"], specification["target"], specification["plain"]) == ("anomaly", "", ["amount"])
