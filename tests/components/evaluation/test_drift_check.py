from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from kfp.dsl import HTML, Dataset, Markdown, Metrics, Model

from components.evaluation.drift_check.component import drift_check
from ratchet.data.tables import read_dataset, write_dataset

pytestmark = pytest.mark.slow  # a trained model, Evidently


@pytest.fixture
def made(outputs: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return outputs(scores=Metrics, report=HTML, evidently=HTML, summary=Markdown)


def checked(january: Path, reference: str, current: Path, made: dict[str, Any]) -> tuple[str, float]:
    sides = Dataset(uri=str(january / reference)), Dataset(uri=str(current))
    result: tuple[str, float] = drift_check.python_func(*sides, Model(uri=str(january / "model")), **made)
    return result


def test_the_same_month_is_stable_and_evidently_says_that_it_was_not_drawn(january: Path, made: dict[str, Any]) -> None:
    assert checked(january, "train", january / "data", made) == ("stable", 0.0)
    assert "not drawn" in Path(made["evidently"].path).read_text(encoding="utf-8")
    assert made["scores"].metadata["verdict"] == "stable"


def test_amounts_in_cents_are_drift_by_name_and_evidently_draws_them(january: Path, made: dict[str, Any], tmp_path: Path) -> None:
    cents = read_dataset(january / "data").with_columns(pl.col("amount") * 100)
    write_dataset(cents, tmp_path / "cents", source="test")
    verdict, share = checked(january, "train", tmp_path / "cents", made)
    assert (verdict, share > 0) == ("drifted", True)
    assert "amount" in Path(made["summary"].path).read_text(encoding="utf-8")
    assert "amount" in Path(made["evidently"].path).read_text(encoding="utf-8")


def test_before_the_first_champion_the_verdict_is_unknown(january: Path, made: dict[str, Any]) -> None:
    assert checked(january, "nobody", january / "data", made) == ("unknown", 0.0)
    assert "no champion yet" in Path(made["report"].path).read_text(encoding="utf-8")


def test_the_report_says_whether_the_rows_of_the_live_model_are_still_the_same(january: Path, made: dict[str, Any], tmp_path: Path) -> None:
    kept = read_dataset(january / "train")
    later = read_dataset(january / "data").with_columns(
        amount=pl.when(pl.col("transaction_id") == kept["transaction_id"][0]).then(-1.0).otherwise("amount")
    )
    write_dataset(later, tmp_path / "later", source="test")
    checked(january, "train", tmp_path / "later", made)
    html = Path(made["report"].path).read_text(encoding="utf-8")
    assert f"Of {len(kept):,} rows kept of the live model&#39;s data: {len(kept) - 1:,} as they were, 1 changed (amount in 1)" in html


def test_an_autoencoders_view_is_its_errors_and_its_alarms(meters: Path, made: dict[str, Any], tmp_path: Path) -> None:
    broken = read_dataset(meters / "table").with_columns(meter_0=-pl.col("meter_0"))
    write_dataset(broken, tmp_path / "broken", source="test")
    sides = Dataset(uri=str(meters / "table")), Dataset(uri=str(tmp_path / "broken"))
    verdict, share = drift_check.python_func(*sides, Model(uri=str(meters / "model")), **made)
    assert (verdict, share) == ("drifted", 0.0), "each column by itself is as it was"
    assert made["scores"].metadata["distance of alarm rate"] > 0.5
    assert "reconstruction error" in Path(made["summary"].path).read_text(encoding="utf-8")
