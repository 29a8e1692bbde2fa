"""The page of a run leads to the steps' own pages, under names that a browser opens."""

from pathlib import Path

from ratchet.submit.local import Step
from ratchet.submit.overview import collect_reports, is_html, write_overview


def artifact(folder: Path, step: str, name: str, text: str) -> None:
    path = folder / "delivery-1" / step / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_html_is_copied_beside_the_page_and_linked(tmp_path: Path) -> None:
    artifact(tmp_path, "compare", "report", "<!doctype html><p>why</p>")
    artifact(tmp_path, "compare", "summary", "## Compare")
    page = write_overview(tmp_path, "rejected", "no gain", [Step("compare", 1.0, True, {"verdict": "reject"})])
    assert 'href="reports/compare-report.html"' in page.read_text()
    assert (tmp_path / "reports" / "compare-report.html").read_text().endswith("why</p>")
    assert "rejected" in page.read_text()


def test_a_run_without_reports_still_has_a_page(tmp_path: Path) -> None:
    page = write_overview(tmp_path, "error", "no such file", [Step("ingest", 0.2, False, {})])
    assert "failed" in page.read_text()
    assert collect_reports(tmp_path, ["ingest"]) == {}


def test_a_page_says_whose_run_it_is_and_what_was_set(tmp_path: Path) -> None:
    steps = [Step("ingest", 0.2, True, {})]
    page = write_overview(
        tmp_path, "promoted", "better", steps, run_id="r-17", arguments={"model": "fraud", "source": "<may>.csv", "seed": 7}
    )
    text = page.read_text()
    assert "<title>Run for fraud" in text
    signed = write_overview(tmp_path, "promoted", "", steps, arguments={"source": "https://shop.example/a.csv?sig=s3cret"}).read_text()
    assert "s3cret" not in signed
    assert "sig=***" in signed
    for said in ("r-17", "&lt;may&gt;.csv", "seed"):
        assert said in text


def test_only_html_counts_as_html(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\n  <HTML><body>")
    (tmp_path / "b").write_bytes(b"PAR1\x00")
    assert is_html(tmp_path / "a")
    assert not is_html(tmp_path / "b")
