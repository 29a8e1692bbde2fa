"""A report is one safe, self-contained page."""

from html.parser import HTMLParser
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ratchet.report.page import Figure, Links, Page, Table, show

HOSTILE = '<script>alert("x")</script>'


class Tags(HTMLParser):
    """Collects the tags and texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: Page, path: Path) -> Tags:
    page.write_html(path)
    parser = Tags()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser


def test_names_from_outside_cannot_become_markup(tmp_path: Path) -> None:
    page = Page(HOSTILE, HOSTILE, HOSTILE, facts={HOSTILE: HOSTILE}, parts=[Table(HOSTILE, [{HOSTILE: HOSTILE}], note=HOSTILE)])
    seen = read(page, tmp_path / "p.html")
    assert "script" not in seen.tags
    assert seen.text.count(HOSTILE) >= 7


def test_a_page_asks_nothing_of_the_network(tmp_path: Path) -> None:
    from ratchet.report import figures

    svg = figures.lines({"a": ([0, 1], [0, 1])}, x="rows", y="loss")
    Page("Compare", parts=[Figure("Loss", svg)]).write_html(tmp_path / "p.html")
    text = (tmp_path / "p.html").read_text(encoding="utf-8")
    for forbidden in ("src=", "<link", "@import", "url(http", "<script"):
        assert forbidden not in text


def test_the_same_page_gives_the_same_bytes(tmp_path: Path) -> None:
    from ratchet.report import figures

    for name in ("a", "b"):
        svg = figures.histogram([0, 1, 2], {"x": [0.5, 0.5]}, x="score")
        Page("Drift", parts=[Figure("Scores", svg)]).write_html(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_flagged_row_stands_out_and_the_flag_is_not_a_column(tmp_path: Path) -> None:
    table = Table("Columns", [{"column": "a", "bad": True}, {"column": "b", "bad": False}], flag="bad")
    Page("Validate", parts=[table]).write_html(tmp_path / "p.html")
    text = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert text.count('<tr class="flag">') == 1
    assert ">bad<" not in text


def test_a_long_table_says_that_it_is_cut(tmp_path: Path) -> None:
    seen = read(Page("T", parts=[Table("Rows", [{"n": i} for i in range(5_000)])]), tmp_path / "p.html")
    assert "The first 200 of 5,000 rows." in seen.text


def test_links_stand_beside_the_page(tmp_path: Path) -> None:
    Page("Run", parts=[Links("Reports", {"compare": "reports/compare.html"})]).write_html(tmp_path / "p.html")
    assert '<a href="reports/compare.html">compare</a>' in (tmp_path / "p.html").read_text(encoding="utf-8")


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()))
def test_any_cell_can_be_shown(value: object) -> None:
    assert isinstance(show(value), str)


@given(st.text())
def test_a_markdown_cell_stays_in_its_cell(value: str) -> None:
    row = Page("T", parts=[Table("x", [{"a": value, "b": 1}])]).markdown().split("|---|---|\n")[1]
    assert "<" not in row.replace("&lt;", "")
