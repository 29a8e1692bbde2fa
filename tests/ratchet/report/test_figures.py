"""Each kind of figure is one SVG element that names what it shows."""

import xml.etree.ElementTree as ET

from ratchet.report import figures


def texts(svg: str) -> str:
    return " ".join(ET.fromstring(svg).itertext())


def test_lines_name_series_axes_and_marks() -> None:
    svg = figures.lines({"roc": ([0, 1], [0, 1])}, x="false alarms", y="recall", diagonal=True, mark_x={"threshold": 0.3})
    assert all(word in texts(svg) for word in ("roc", "false alarms", "recall", "threshold"))


def test_bars_survive_values_that_are_not_finite() -> None:
    svg = figures.bars({"a": float("nan"), "b": float("inf"), "c": 1.0}, x="distance", mark_x={"limit": 0.1})
    assert all(word in texts(svg) for word in ("a", "b", "c", "distance", "limit"))


def test_intervals_keep_the_order_given() -> None:
    found = texts(figures.intervals({"second": (0, 1, 2), "first": (0, 1, 2)}, x="difference"))
    assert found.index("second") < found.index("first")


def test_a_histogram_tells_its_series_apart() -> None:
    found = texts(figures.histogram([0, 1, 2], {"reference": [0.5, 0.5], "current": [0.1, 0.9]}, x="amount"))
    assert "reference" in found
    assert "current" in found


def test_a_name_with_markup_or_dollars_is_only_text() -> None:
    assert "<b>$x$" in texts(figures.bars({"<b>$x$": 1.0, "y": 2.0}, x="d"))


def test_a_logarithmic_axis_is_labelled_with_numbers_and_has_its_mark() -> None:
    drawn = figures.histogram([0.1, 1, 10], {"normal": [0.5, 0.5]}, x="error", mark_x={"threshold": 2.0}, log_x=True)
    for svg in (drawn, figures.lines({"loss": ([0, 1], [0.1, 10])}, x="epoch", y="loss", log_y=True)):
        assert "0.1" in texts(svg)
        assert "mathdefault" not in texts(svg)
    assert "threshold" in texts(drawn)
