"""The face of validate: verdict, reason and all artifacts, from the first data to a broken feed."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp.dsl import HTML, Artifact, Dataset, Markdown, Metrics

from components.data_processing.validate.component import validate
from ratchet.data.cards import simulate_cards
from ratchet.data.tables import read_dataset, write_dataset
from ratchet.errors import TargetError

OUTPUTS = {"clean": Dataset, "quarantine": Dataset, "schema": Artifact, "report": HTML, "summary": Markdown, "scores": Metrics}


def run(folder: Path, month: int, champion_schema: Path, fault: bool = False, **options: Any) -> tuple[Any, dict[str, Any]]:
    folder.mkdir()
    info = write_dataset(simulate_cards(month, seed=2, customers=60, fault=fault), folder / "data", source="cards.csv", time_column="time")
    data = Dataset(uri=str(folder / "data"), metadata=info.metadata())
    made = {name: kind(uri=str(folder / name)) for name, kind in OUTPUTS.items()}
    return validate.python_func(data=data, champion_schema=Artifact(uri=str(champion_schema)), **made, **options), made


def test_the_first_data_makes_a_schema_that_stops_a_broken_feed_later(tmp_path: Path) -> None:
    (tmp_path / "none.yaml").write_text("{}\n")
    roles = {"target": "fraud", "time_column": "time", "key_columns": ["transaction_id"]}
    (verdict, reason, rows), made = run(tmp_path / "1", 1, tmp_path / "none.yaml", **roles)
    assert verdict == "valid"
    assert rows == int(made["clean"].metadata["rows"]) == made["scores"].metadata["rows_in"]
    assert made["clean"].metadata["source"] == "cards.csv"
    assert made["clean"].metadata["time_min"] == made["clean"].metadata["time_min"] >= "2024-01-01"
    assert "fraud" in Path(made["schema"].path).read_text()
    assert Path(made["summary"].path).read_text().startswith("## Validate: valid")

    (verdict, reason, rows), made = run(tmp_path / "3", 3, tmp_path / "1" / "schema", fault=True)
    assert verdict == "invalid"
    assert "'amount' is about" in reason
    assert "invalid" in Path(made["report"].path).read_text()
    assert rows + int(made["quarantine"].metadata["rows"]) == made["scores"].metadata["rows_in"]
    assert "quarantine_reason" in read_dataset(made["quarantine"].path).columns

    (verdict, _, _), _ = run(tmp_path / "4", 3, tmp_path / "1" / "schema")
    assert verdict == "valid"


def test_a_mistyped_target_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none.yaml").write_text("{}\n")
    with pytest.raises(TargetError, match="did you mean 'fraud'"):
        run(tmp_path / "1", 1, tmp_path / "none.yaml", target="frau")


def test_data_without_a_target_makes_a_schema_without_one_that_still_stops_a_broken_feed(tmp_path: Path) -> None:
    (tmp_path / "none.yaml").write_text("{}\n")
    (verdict, _, rows), made = run(tmp_path / "1", 1, tmp_path / "none.yaml", target="", time_column="time", key_columns=["transaction_id"])
    assert verdict == "valid"
    assert rows == int(made["clean"].metadata["rows"])
    assert not yaml.safe_load(Path(made["schema"].path).read_text()).get("target")
    (verdict, reason, _), _ = run(tmp_path / "3", 3, tmp_path / "1" / "schema", fault=True)
    assert (verdict, "'amount' is about" in reason) == ("invalid", True)
    (verdict, _, _), _ = run(tmp_path / "4", 3, tmp_path / "1" / "schema")
    assert verdict == "valid"
