"""A table judged piece by piece is judged as it is whole: the same rows go the same way, for the same reasons."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ratchet.data import pieces
from ratchet.data.cards import simulate_cards
from ratchet.data.findings import Limits
from ratchet.data.inference import infer_schema
from ratchet.data.pieces import DatasetPieces, FramePieces
from ratchet.data.quality import assess, validate
from ratchet.data.schema import Schema
from ratchet.data.tables import read_dataset, write_dataset

MONTH = simulate_cards(1, seed=5, customers=60)
START = datetime(2024, 1, 1)


def dirty(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The table with bad values, copies, gaps and rows out of order."""
    chance = np.random.default_rng(seed)
    spots = {share: pl.Series(chance.random(frame.height) < share) for share in (0.002, 0.003, 0.004, 0.005, 0.006)}
    frame = frame.with_columns(
        amount=pl.when(spots[0.002]).then(-1.0).when(spots[0.003]).then(float("nan")).otherwise("amount"),
        time=pl.when(spots[0.004]).then(None).when(spots[0.002]).then(START + timedelta(days=9_000)).otherwise("time"),
        channel=pl.when(spots[0.005]).then(pl.lit("pigeon")).otherwise("channel"),
        hours=pl.when(spots[0.006]).then(pl.lit("soon")).otherwise(pl.lit("7")),
    )
    again = frame.sample(20, seed=seed)
    return pl.concat([frame, again]).sample(fraction=1.0, shuffle=True, seed=seed)


def run(frame: pl.DataFrame, folder: Path, size: int, **options: Any) -> Any:
    write_dataset(frame.iter_slices(size), folder / "data", source="test")
    outputs = {f"{name}_path": folder / name for name in ("clean", "quarantine", "schema", "report")}
    return validate(folder / "data", **outputs, **options)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", [97, 1_000])
def test_pieces_and_the_whole_are_judged_alike(seed: int, size: int, tmp_path: Path) -> None:
    schema = infer_schema(MONTH, key=["transaction_id"], time="time", target="fraud")
    document = schema.text() + "  hours: {type: integer, max_missing: 0.5}\n"
    schema = Schema.parse(document)
    assert schema is not None
    frame = dirty(MONTH, seed)
    whole = assess(frame, schema, Limits(now="2024-03-01"), origin="the given schema")
    result = run(frame, tmp_path, size, schema_text=document, limits=Limits(now="2024-03-01"))
    assert (result.verdict, result.reason, result.findings) == (whole.verdict, whole.reason, whole.findings)
    assert read_dataset(tmp_path / "clean").equals(whole.kept)
    assert read_dataset(tmp_path / "quarantine").equals(whole.quarantined)
    assert {finding.check for finding in result.findings} >= {
        "duplicate key",
        "wrong type",
        "implausible time",
        "missing value",
        "not finite",
    }


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_first_look_at_pieces_makes_the_schema_of_the_whole(shuffled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "CELLS", 2_000)
    frame = MONTH.sample(fraction=1.0, shuffle=True, seed=1) if shuffled else MONTH
    write_dataset(frame.iter_slices(777), tmp_path / "data", source="test")
    roles: dict[str, Any] = {"key": ["transaction_id"], "time": "time", "target": "fraud"}
    assert (
        infer_schema(DatasetPieces(tmp_path / "data"), **roles) == infer_schema(FramePieces(frame), **roles) == infer_schema(frame, **roles)
    )


def test_parts_without_a_fault_are_taken_over_and_only_the_others_written(tmp_path: Path) -> None:
    schema = infer_schema(MONTH).text()
    bad = MONTH.with_columns(pl.when(pl.int_range(pl.len()) == 1_500).then(-1.0).otherwise("amount").alias("amount"))
    result = run(bad, tmp_path, 1_000, schema_text=schema)
    assert (result.verdict, result.rows_quarantined) == ("quarantined", 1)
    shared = [part.stat().st_nlink == 2 for part in sorted((tmp_path / "clean").iterdir())]
    assert shared == [place != 1 for place in range(len(shared))]
    assert read_dataset(tmp_path / "clean").height + 1 == MONTH.height
    assert result.rows_in == result.rows_out + result.rows_quarantined


def test_examples_on_the_page_are_the_first_rows_set_aside(tmp_path: Path) -> None:
    frame = MONTH.with_columns(pl.when(pl.int_range(pl.len()) % 100 == 99).then(-1.0).otherwise("amount").alias("amount"))
    result = run(frame, tmp_path, 50, schema_text=infer_schema(MONTH).text())
    table = next(part for part in result.page.parts if part.title == "Rows set aside")
    assert len(table.rows) == 20
    assert [row["transaction_id"] for row in table.rows] == [str(frame["transaction_id"][place]) for place in range(99, 2_000, 100)]
