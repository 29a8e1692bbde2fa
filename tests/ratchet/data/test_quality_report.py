"""The page names what was found, beside what is allowed."""

import polars as pl

from ratchet.data.quality import Assessment, assess
from ratchet.data.quality_report import Overview, quality_page
from ratchet.data.schema import Schema
from ratchet.report.page import Page

FRAME = pl.DataFrame({"price": [1.0, 2.0, 900.0], "city": ["Oslo", "<b>", "Oslo"], "new": [1, 2, 3]})
SCHEMA = Schema.parse("columns: {price: {type: number, maximum: 100}, city: {type: string, categories: [Oslo]}, gone: {type: string}}")


def page_of(result: Assessment, schema: Schema) -> Page:
    overview = Overview()
    overview.add(FRAME)
    rows = result.quarantined.height
    return quality_page(result.verdict, result.reason, overview, result.quarantined, rows, result.findings, schema, "the given schema")


def test_the_page_shows_findings_columns_and_rows_set_aside() -> None:
    assert SCHEMA is not None
    result = assess(FRAME, SCHEMA)
    page = page_of(result, SCHEMA)
    assert page.tone == "bad"
    assert [part.title for part in page.parts] == ["Findings", "Columns", "Rows set aside"]
    text = page.markdown()
    assert "| gone | missing | string |" in text
    assert "| new | integer | not in the schema |" in text
    assert "price 900.0 is above 100" in text
    assert "… to 100" in text


def test_names_and_values_from_outside_are_escaped(tmp_path: object) -> None:
    assert SCHEMA is not None
    result = assess(FRAME, SCHEMA)
    page = page_of(result, SCHEMA)
    from ratchet.report.template import render_page

    assert "<b>&" not in render_page(page)
    assert "&lt;b&gt;" in render_page(page)
