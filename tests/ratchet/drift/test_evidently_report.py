from pathlib import Path

import polars as pl
import pytest

from ratchet.data.tables import write_dataset
from ratchet.drift import sides
from ratchet.drift.evidently_report import _sample, write_evidently
from ratchet.drift.sides import Side


@pytest.mark.parametrize("rows", [1, 40, 500])
def test_a_sample_holds_each_row_at_most_once_from_all_parts_and_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(sides, "BATCH_ROWS", 30)
    write_dataset(
        (pl.DataFrame({"x": range(at, at + 100), "y": ["a"] * 100}) for at in range(0, 400, 100)), tmp_path / "data", source="test"
    )
    drawn = _sample(Side.open(tmp_path / "data"), ["x"], rows, seed=0)["x"]
    assert (len(drawn), drawn.n_unique()) == (min(rows, 400), min(rows, 400))
    assert drawn.is_sorted()
    assert rows < 40 or drawn.max() - drawn.min() > 300


@pytest.mark.slow
def test_the_report_names_the_columns_asked_for_and_no_other(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"amount": [float(value) for value in range(300)], "channel": ["chip", "online", "chip"] * 100, "secret": [1] * 300}
    )
    write_dataset(frame, tmp_path / "reference", source="test")
    write_dataset(frame.with_columns(pl.col("amount") + 200), tmp_path / "current", source="test")
    write_evidently(tmp_path / "reference", tmp_path / "current", tmp_path / "report.html", columns=["amount", "channel"], rows=200)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "amount" in page
    assert "channel" in page
    assert "'secret'" not in page
