"""``ratchet replay``: what was sent is told, and what is wrong is one line."""

from pathlib import Path

import polars as pl
import pytest

from tests.ratchet.cli.test_main import ratchet
from tests.ratchet.serving.gateways import gateway, table, taught

__all__ = ["gateway", "taught"]  # fixtures

pytestmark = pytest.mark.slow  # a real gateway


def test_rows_are_sent_with_their_labels_and_counted(gateway, tmp_path: Path) -> None:
    rows = table(40).with_columns(fraud=pl.Series([0, 1] * 20))
    rows.write_parquet(tmp_path / "rows.parquet")
    url = f"http://127.0.0.1:{gateway.port}"
    done = ratchet("replay", "fraud", str(tmp_path / "rows.parquet"), "--to", url, "--target", "fraud", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "40 requests, 0 without an answer, 40 labels taken"


def test_a_gateway_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    table(3).write_parquet(tmp_path / "rows.parquet")
    done = ratchet("replay", "fraud", str(tmp_path / "rows.parquet"), "--to", "http://127.0.0.1:9", home=tmp_path)
    assert done.returncode == 1
    assert len((done.stderr + done.stdout).strip().splitlines()) == 1
    assert "127.0.0.1:9" in done.stderr
