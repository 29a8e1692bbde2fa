from pathlib import Path

import polars as pl
import pytest

from ratchet.data.tables import write_dataset
from ratchet.drift.evidently_report import write_evidently

pytestmark = pytest.mark.slow


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
