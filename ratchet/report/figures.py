"""Figures as SVG text, drawn by matplotlib with nothing that changes between runs (no date, no random ids).

matplotlib takes a second to import, so it is imported by the first figure, not with this module.
"""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#2f5d8a", "#c4562f", "#3c8a5a", "#8a6bb0", "#b08a2e", "#5b6675")
# Labels are data: a column may be called "$x$". Fixed salt and no outlines: the same figure gives the same bytes.
STYLE = {"text.parse_math": False, "svg.hashsalt": "ratchet", "svg.fonttype": "none", "font.size": 10}
Points = tuple[Sequence[float], Sequence[float]]


def lines(
    series: Mapping[str, Points],
    *,
    x: str,
    y: str,
    diagonal: bool = False,
    mark_x: Mapping[str, float] | None = None,
    mark_y: Mapping[str, float] | None = None,
    log_y: bool = False,
) -> str:
    """Return a line chart as an SVG element.

    Args:
        series: Name to (xs, ys), equal lengths.
        x: Label of the horizontal axis, with its unit.
        y: Label of the vertical axis, with its unit.
        diagonal: Draw the line y = x, for ROC and calibration curves.
        mark_x: Vertical marks by name, e.g. a chosen threshold.
        mark_y: Horizontal marks by name, e.g. what is needed.
        log_y: Logarithmic vertical axis.
    """
    figure, axes = _axes(x, y)
    for (name, (xs, ys)), colour in zip(series.items(), COLOURS * len(series), strict=False):
        axes.plot(xs, ys, label=name, color=colour, linewidth=1.8)
    if diagonal:
        axes.plot([0, 1], [0, 1], color="#b5bec8", linewidth=1, linestyle="--")
    for name, at in (mark_x or {}).items():
        axes.axvline(at, color="#5b6675", linewidth=1, linestyle=":", label=name)
    for (name, level), style in zip((mark_y or {}).items(), (":", "--", "-.") * len(mark_y or {}), strict=False):
        axes.axhline(level, color="#5b6675", linewidth=1, linestyle=style, label=name)
    if log_y:
        _log(axes, "y")
    if len(series) > 1 or mark_x or mark_y:
        axes.legend(frameon=False)
    return _svg(figure)


def bars(values: Mapping[str, float], *, x: str, mark_x: Mapping[str, float] | None = None) -> str:
    """Return horizontal bars, the first on top, as an SVG element. Non-finite values are drawn as zero.

    Args:
        values: Length of each bar by label.
        x: Label of the horizontal axis.
        mark_x: Vertical marks by name, e.g. a threshold.
    """
    figure, axes = _axes(x, "", height=0.9 + 0.3 * max(len(values), 2))
    names = list(values)
    axes.barh(range(len(names)), [v if v == v and abs(v) != float("inf") else 0.0 for v in values.values()], color=COLOURS[0], height=0.65)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    for name, at in (mark_x or {}).items():
        axes.axvline(at, color=COLOURS[1], linewidth=1.2, linestyle="--", label=name)
    if mark_x:
        axes.legend(frameon=False)
    return _svg(figure)


def histogram(
    edges: Sequence[float],
    counts: Mapping[str, Sequence[float]],
    *,
    x: str,
    y: str = "share of rows",
    mark_x: Mapping[str, float] | None = None,
    log_x: bool = False,
) -> str:
    """Return step histograms over shared edges as an SVG element.

    Args:
        edges: shape (bins + 1,), ascending.
        counts: Heights by series name, shape (bins,) each.
        x: Label of the horizontal axis.
        y: Label of the vertical axis.
        mark_x: Vertical marks by name, e.g. a threshold.
        log_x: Logarithmic horizontal axis; edges and marks above 0.
    """
    figure, axes = _axes(x, y)
    if log_x:
        _log(axes, "x")
    for (name, heights), colour in zip(counts.items(), COLOURS * len(counts), strict=False):
        axes.stairs(heights, edges, label=name, color=colour, fill=True, alpha=0.35)
        axes.stairs(heights, edges, color=colour, linewidth=1.4)
    for name, at in (mark_x or {}).items():
        axes.axvline(at, color="#5b6675", linewidth=1, linestyle=":", label=name)
    axes.legend(frameon=False)
    return _svg(figure)


def intervals(rows: Mapping[str, tuple[float, float, float]], *, x: str, zero: bool = True) -> str:
    """Return estimates with their intervals, the first on top, as an SVG element.

    Args:
        rows: Name to (low, estimate, high).
        x: Label of the horizontal axis.
        zero: Mark zero.
    """
    figure, axes = _axes(x, "", height=0.9 + 0.32 * max(len(rows), 2))
    for place, (low, middle, high) in enumerate(rows.values()):
        axes.plot([low, high], [place, place], color=COLOURS[0], linewidth=3, solid_capstyle="round", alpha=0.6)
        axes.plot([middle], [place], "o", color=COLOURS[0], markersize=6)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.invert_yaxis()
    if zero:
        axes.axvline(0, color="#5b6675", linewidth=1, linestyle=":")
    return _svg(figure)


def _axes(x: str, y: str, height: float = 3.4) -> "tuple[object, Axes]":
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams.update(STYLE)
    figure = Figure(figsize=(8.6, height), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#eceff3", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _log(axes: "Axes", which: str) -> None:
    """Make an axis logarithmic, labelled 0.1, 1, 10: matplotlib's own labels are formulas, and labels are never parsed here."""
    from matplotlib.ticker import NullFormatter, StrMethodFormatter

    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _svg(figure: object) -> str:
    from matplotlib.figure import Figure

    assert isinstance(figure, Figure)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
