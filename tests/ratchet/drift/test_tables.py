"""What a user sees of drift on real data: silence where nothing moved, names where something did."""

import subprocess
import sys
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
    separator, header = ";" if "bank" in path.name else ",", "ecg" not in path.name
    return pl.read_csv(path, separator=separator, has_header=header, infer_schema_length=None)


TABLES = {  # every table beside the checkout, and how many seeds its halves are drawn by
    "adult/adults.parquet": 10,
    "amazon_access/train.csv": 10,
    "bank_marketing/bank-additional-full.csv": 10,
    "bike_sharing/day.csv": 10,
    "bike_sharing/hour.csv": 10,
    "ecg5000/ecg.csv": 5,
    "elec2/electricity-normalized.csv": 10,
    "fraud_handbook/transactions.parquet": 2,
    "ma_employment/employment_MA_reference.pq": 5,
    "ma_employment/employment_MA_analysis.pq": 2,
}


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.parametrize("name", TABLES)
def test_random_halves_of_real_data_are_stable(real_data: Find, tmp_path: Path, name: str) -> None:
    """With a threshold of 0, which leaves only what chance does at this size, at most a hundredth of the columns may be called drift."""
    frame = read(real_data(name))
    found: list[bool] = []
    for seed in range(TABLES[name]):
        shuffled = frame.sample(fraction=1, shuffle=True, seed=seed)
        half = len(shuffled) // 2
        result = compared(tmp_path, shuffled[:half], shuffled[half:], threshold=0.0)
        found += [column.drifted for column in result.columns]
        assert (result.verdict, result.drifted_share) == ("stable", 0.0), result.reason
    assert sum(found) <= 0.01 * len(found)


@pytest.mark.realdata
def test_the_worst_chunk_of_ma_employment_names_the_columns_that_its_publishers_name(real_data: Find, tmp_path: Path) -> None:
    reference = read(real_data("ma_employment/employment_MA_reference.pq"))
    chunk = read(real_data("ma_employment/employment_MA_analysis.pq"))[27 * 5_000 : 28 * 5_000]
    result = compared(tmp_path, reference, chunk, ignore=["id", "year", "prediction", "predicted_probability"])
    assert result.verdict == "drifted"
    by_their_measure = sorted(result.columns, key=lambda column: -column.statistics["jensen_shannon"])
    assert [column.name for column in by_their_measure[:3]] == ["RELP", "AGEP", "SCHL"]
    assert {"RELP", "AGEP", "SCHL"} <= set(result.drifted_columns)
    assert all(name in result.reason for name in ("RELP by 0.925, '17': 5% → 70%", "SCHL by 0.395", "AGEP"))


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


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc, which only Linux has")
def test_memory_grows_with_the_rows_and_not_with_the_columns(tmp_path: Path) -> None:
    """Twenty more columns of a million rows are 320 MB more of tables."""
    code = (
        "import sys; from ratchet.drift import compare_tables; compare_tables(sys.argv[1], sys.argv[1]);"
        "print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0])"  # not getrusage's: a child inherits its parent's peak
    )
    whole, peaks = pl.int_range(1_000_000, eager=True), []
    for columns in (4, 24):
        frame = pl.DataFrame({str(i): (whole * 7 + i) % 99_991 / 3 for i in range(columns)})
        write_dataset(frame, tmp_path / str(columns), source="test")
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path / str(columns))], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout) // 1024)
    assert peaks[1] - peaks[0] < 100, f"{peaks} MB"
