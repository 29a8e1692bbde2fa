"""What a user sees of drift on real data: silence where nothing moved, names where something did."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from ratchet.data.absent import write_absent
from ratchet.data.tables import write_dataset
from ratchet.drift import DriftResult, compare_tables
from ratchet.errors import SchemaError

Find = Callable[[str], Path]


def compared(folder: Path, reference: pl.DataFrame, current: pl.DataFrame, **options: object) -> DriftResult:
    write_dataset(reference, folder / "reference", source="test")
    write_dataset(current, folder / "current", source="test")
    return compare_tables(folder / "reference", folder / "current", **options)  # type: ignore[arg-type]


def read(path: Path) -> pl.DataFrame:
    if path.suffix in (".parquet", ".pq"):
        return pl.read_parquet(path)
    return pl.read_csv(path, separator=";" if "bank" in path.name else ",", infer_schema_length=None)


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["elec2/electricity-normalized.csv", "bank_marketing/bank-additional-full.csv", "adult/adults.parquet"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_random_halves_of_real_data_are_stable(real_data: Find, tmp_path: Path, name: str, seed: int) -> None:
    shuffled = read(real_data(name)).sample(fraction=1, shuffle=True, seed=seed)
    half = len(shuffled) // 2
    # A threshold of 0 leaves only what chance does at this size: even then nothing may be called drift.
    result = compared(tmp_path, shuffled[:half], shuffled[half:], threshold=0.0)
    assert (result.verdict, result.drifted_share) == ("stable", 0.0), result.reason


@pytest.mark.realdata
def test_the_worst_chunk_of_ma_employment_names_the_columns_that_its_publishers_name(real_data: Find, tmp_path: Path) -> None:
    reference = read(real_data("ma_employment/employment_MA_reference.pq"))
    chunk = read(real_data("ma_employment/employment_MA_analysis.pq"))[27 * 5_000 : 28 * 5_000]
    result = compared(tmp_path, reference, chunk, ignore=["id", "year"])
    assert result.verdict == "drifted"
    assert {"RELP", "AGEP", "SCHL"} <= set(result.drifted_columns)
    assert "RELP by 0.925, '17': 5% → 70%" in result.reason


@pytest.mark.realdata
def test_two_years_of_bank_marketing_drifted_and_the_economy_leads(real_data: Find, tmp_path: Path) -> None:
    frame = read(real_data("bank_marketing/bank-additional-full.csv")).drop("duration")
    fifth = len(frame) // 5
    result = compared(tmp_path, frame[:fifth], frame[-fifth:])
    assert result.verdict == "drifted"
    assert {"euribor3m", "emp.var.rate", "nr.employed"} == set(result.drifted_columns[:3])


@pytest.mark.realdata
def test_the_reports_of_drift_open_without_network(real_data: Find, tmp_path: Path) -> None:
    frame = read(real_data("elec2/electricity-normalized.csv"))
    result = compared(tmp_path, frame[:10_000], frame[-10_000:])
    result.write_html(tmp_path / "report.html")
    result.write_markdown(tmp_path / "summary.md")
    result.write_evidently(tmp_path / "evidently.html")
    page, drawn = ((tmp_path / name).read_text(encoding="utf-8") for name in ("report.html", "evidently.html"))
    assert "psi_deciles" in page
    assert "psi_sturges" in page
    assert "## Drift: drifted" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    for html in (page, drawn):
        assert "<script src" not in html
        assert 'rel="stylesheet"' not in html
    assert len(drawn) < 10_000_000


def test_without_a_reference_the_verdict_is_unknown_with_the_reason_of_the_absence(tmp_path: Path) -> None:
    write_absent(tmp_path / "reference", "no champion yet")
    result = compare_tables(tmp_path / "reference", tmp_path / "current")
    assert (result.verdict, result.drifted_share) == ("unknown", 0.0)
    assert "no champion yet" in result.reason


def test_no_rows_and_too_few_rows_are_unknown_never_stable(tmp_path: Path) -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0, 3.0]})
    assert compared(tmp_path, frame, frame.head(0)).verdict == "unknown"
    assert compared(tmp_path, frame, frame).verdict == "unknown"


def test_columns_that_only_one_side_has_are_named_and_not_counted(tmp_path: Path) -> None:
    frame = pl.DataFrame({"x": list(range(1_000)), "old": ["a"] * 1_000})
    result = compared(tmp_path, frame, frame.rename({"old": "new"}))
    assert (result.verdict, [column.name for column in result.columns]) == ("stable", ["x"])
    assert result.not_compared == {"old": "only in the reference", "new": "only in the current data"}


def test_an_ignored_column_that_is_in_neither_table_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    frame = pl.DataFrame({"customer": list(range(100))})
    with pytest.raises(SchemaError, match="did you mean 'customer'"):
        compared(tmp_path, frame, frame, ignore=["custmer"])


def test_tables_without_a_common_column_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="no column in common"):
        compared(tmp_path, pl.DataFrame({"a": [1]}), pl.DataFrame({"b": [1]}))


def test_the_share_threshold_lets_a_few_columns_move(tmp_path: Path) -> None:
    frame = pl.DataFrame({name: list(range(1_000)) for name in "abcd"})
    moved = frame.with_columns(pl.col("a") + 5_000)
    assert compared(tmp_path, frame, moved).verdict == "drifted"
    assert compared(tmp_path, frame, moved, share_threshold=0.25).verdict == "stable"
