from pathlib import Path
from types import SimpleNamespace

import polars as pl

from ratchet.drift.columns import compare_column
from ratchet.drift.result import DriftResult


def judged(*columns: tuple[str, str, float], share_threshold: float = 0.0) -> DriftResult:
    """Columns by name and role whose values moved by a share of their width."""
    whole = pl.Series("x", range(2_000))
    compared = tuple(compare_column(whole.alias(name), (whole + int(2_000 * by)).alias(name), role=role) for name, role, by in columns)
    return DriftResult.judged(compared, share_threshold=share_threshold, rows=(2_000, 2_000), not_compared={}, note="", paths=("", ""))


def test_the_farthest_moved_column_comes_first_and_the_share_counts_inputs_only() -> None:
    result = judged(("a", "input", 0.2), ("b", "input", 0.6), ("c", "input", 0.0), ("d", "input", 0.0), ("y", "target", 0.9))
    assert result.drifted_columns == ("b", "a")
    assert (result.verdict, result.drifted_share) == ("drifted", 0.5)
    assert result.reason.startswith("2 of 4 columns drifted: b by 0.600")
    assert "The target drifted (by 0.900" in result.reason


def test_drifted_predictions_are_drift_though_every_column_stood_still() -> None:
    assert judged(("a", "input", 0.0), ("prediction", "prediction", 0.5)).verdict == "drifted"


def test_a_drifted_target_alone_is_told_but_is_no_drift_of_the_inputs() -> None:
    result = judged(("a", "input", 0.0), ("y", "target", 0.5))
    assert (result.verdict, "The target drifted" in result.reason) == ("stable", True)


def test_kfp_gets_the_verdict_and_a_distance_a_column() -> None:
    sink = SimpleNamespace(metadata={})
    judged(("a", "input", 0.25)).log_to(sink)
    assert sink.metadata["verdict"] == "drifted"
    assert sink.metadata["distance of a"] == 0.25


def test_without_drift_evidently_is_not_drawn_and_the_page_says_why(tmp_path: Path) -> None:
    judged(("a", "input", 0.0)).write_evidently(tmp_path / "evidently.html")
    assert "the verdict is &#39;stable&#39;" in (tmp_path / "evidently.html").read_text(encoding="utf-8")


def test_the_reason_tells_of_the_farthest_moved_and_names_the_others() -> None:
    result = judged(*((f"c{place:02}", "input", 0.9 - place / 50) for place in range(20)))
    assert result.reason.startswith("20 of 20 columns drifted: c00 by 0.900, at or below 1,799: 90% → 0%; c01 by")
    assert "c03 by 0.840" in result.reason
    assert result.reason.endswith("; also c04, c05, c06, c07, c08, c09, c10, c11, c12, c13, c14, c15 and 4 more.")


def test_the_reason_says_when_nothing_moved_at_all() -> None:
    assert judged(("a", "input", 0.0)).reason == "0 of 1 columns drifted; none moved at all."
    assert "the farthest moved is a (by 0.050, at or below 99: 5% → 0%), below its limit of 0.100" in judged(("a", "input", 0.05)).reason
