"""One HTML page per step: the verdict first, then why, then the tables and figures behind it.

The page is one file without scripts, fonts or links to anywhere, because the Kubeflow UI shows it in a sandboxed frame and
an auditor opens it years later. Jinja2 escapes every value: column names and categories come from outside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Cell = str | int | float | bool | None
MAX_ROWS = 200


@dataclass(frozen=True)
class Table:
    """A table of a report.

    Attributes:
        title: Heading above it.
        rows: One mapping of column to cell a row; the first row names the columns.
        note: A sentence below the heading, for units and definitions.
        flag: Name of a column whose truthy cells mark the row as one to look at; it is not shown.
    """

    title: str
    rows: Sequence[Mapping[str, Cell]]
    note: str = ""
    flag: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure of a report: an SVG element made by `ratchet.report.figures`."""

    title: str
    svg: str
    note: str = ""


@dataclass(frozen=True)
class Links:
    """A list of links to files beside the page; only for pages that are read where they were written.

    Attributes:
        title: Heading above it.
        targets: Text of the link to relative path.
    """

    title: str
    targets: Mapping[str, str]
    note: str = ""


@dataclass(frozen=True)
class Page:
    """A report, from its verdict down.

    Attributes:
        title: What was looked at, e.g. "Compare".
        verdict: The word that the pipeline branches on, or empty.
        reason: One or two sentences that a person can act on.
        tone: "good", "bad" or "neutral"; colours the verdict.
        facts: Short name-value pairs under the verdict.
        parts: Tables, figures and links, in reading order.
    """

    title: str
    verdict: str = ""
    reason: str = ""
    tone: str = "neutral"
    facts: Mapping[str, Cell] = field(default_factory=dict)
    parts: Sequence[Table | Figure | Links] = ()

    def write_html(self, path: str | Path) -> None:
        """Write the page as one self-contained HTML file."""
        from ratchet.report.template import render_page

        Path(path).write_text(render_page(self), encoding="utf-8")

    def markdown(self) -> str:
        """Return verdict, reason, facts and tables as Markdown, for the Kubeflow UI.

        >>> print(Page("Compare", verdict="reject", reason="No gain.", facts={"rows": 1200}).markdown())
        ## Compare: reject
        <BLANKLINE>
        No gain.
        <BLANKLINE>
        | | |
        |---|---|
        | rows | 1,200 |
        <BLANKLINE>
        """
        lines = [f"## {_text(self.title)}" + (f": {_text(self.verdict)}" if self.verdict else ""), "", _text(self.reason), ""]
        if self.facts:
            lines += ["| | |", "|---|---|", *(f"| {_pipe(name)} | {_pipe(show(value))} |" for name, value in self.facts.items()), ""]
        for part in self.parts:
            if isinstance(part, Table) and part.rows:
                columns = [name for name in part.rows[0] if name != part.flag]
                lines += [
                    f"### {_text(part.title)}",
                    "",
                    "| " + " | ".join(_pipe(name) for name in columns) + " |",
                    "|---" * len(columns) + "|",
                ]
                lines += ["| " + " | ".join(_pipe(show(row.get(name))) for name in columns) + " |" for row in part.rows[:MAX_ROWS]]
                lines.append("")
        return "\n".join(lines)

    def write_markdown(self, path: str | Path) -> None:
        """Write `markdown` to a file."""
        Path(path).write_text(self.markdown(), encoding="utf-8")


def show(value: Any) -> str:
    """Return a cell as a person writes it: thousands separated, four significant digits, a dash for nothing.

    >>> show(1234567), show(0.123456), show(None), show(float("nan")), show(True)
    ('1,234,567', '0.1235', '–', 'not a number', 'yes')
    """
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if value != value:
            return "not a number"
        if abs(value) == float("inf"):
            return "infinity" if value > 0 else "−infinity"
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.4g}"
    return str(value)


def above(reasons: Sequence[str], shown: str = "") -> list[str]:
    """Return reasons as a table shows them: one that was read already, above the table or in it, is not written out again.

    >>> above(["no gain", "no gain", "", "sure"], shown="sure")
    ['no gain', 'as above', '', 'as above']
    """
    return ["as above" if reason and reason in (shown, *reasons[:at]) else reason for at, reason in enumerate(reasons)]


def _text(text: str) -> str:
    """Escape what a Markdown viewer would take for a tag, a link, an image or emphasis: names and categories come from outside."""
    return text.replace("\\", "\\\\").replace("<", "&lt;").replace("[", "\\[").replace("*", "\\*")


def _pipe(text: str) -> str:
    return _text(text).replace("|", "\\|").replace("\n", " ")
