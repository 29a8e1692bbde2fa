"""The one HTML template of all reports. Kept apart from the page so that only a step that writes HTML imports Jinja2."""

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment
from markupsafe import Markup

from ratchet.report.page import MAX_ROWS, Links, Table, show

if TYPE_CHECKING:
    from ratchet.report.page import Page

TEMPLATE = Path(__file__).with_name("page.html")


def render_page(page: "Page") -> str:
    """Return the page as HTML. Every value but a figure's SVG is escaped."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        page=page,
        limit=MAX_ROWS,
        show=show,
        svg=lambda part: Markup(part.svg),  # noqa: S704 (our own SVG, made by ratchet.report.figures)
        is_table=lambda part: isinstance(part, Table),
        is_links=lambda part: isinstance(part, Links),
        columns_of=lambda part: [name for name in part.rows[0] if name != part.flag],
        numeric=lambda part, name: all(
            isinstance(row.get(name), int | float | None) and not isinstance(row.get(name), bool) for row in part.rows
        ),
    )
