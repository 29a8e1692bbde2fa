"""What a person reads of a run: each step that decides says why, and each page opens without a network, for ever."""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from ratchet.data.cards import simulate_cards
from ratchet.data.quality import validate
from ratchet.data.tables import write_dataset
from ratchet.delivery.advance import Advance
from ratchet.delivery.deployment import Deployment
from ratchet.delivery.rollout_report import rollout_page
from ratchet.drift import compare_tables
from ratchet.evaluation.compare import compare
from ratchet.evaluation.evaluate import evaluate
from ratchet.features.build import build_features
from ratchet.features.split_plan import SplitPlan
from ratchet.models.autoencoder.parameters import AutoencoderParameters
from ratchet.models.autoencoder.training import train_autoencoder
from ratchet.models.training import BoostingParameters, train_boosting
from ratchet.report.page import Links, Page, Table
from tests.compiled import documents

ROOT = Path(__file__).resolve().parents[2]
FACES = sorted(ROOT.glob("components/*/*/component.py"))
HOSTILE = '<img src="https://evil.example/x.png">![](https://evil.example/y.png)</style><script src=//evil.example/z.js></script>'
FETCHING = {"src", "srcset", "data", "poster", "background", "action", "formaction"}
ELSEWHERE = re.compile(r"^\s*(?:https?:)?//", re.IGNORECASE)
IN_STYLE = re.compile(r"@import\b|url\(\s*['\"]?\s*(?:https?:)?//", re.IGNORECASE)


def written(face: Path) -> dict[str, str]:
    """Output artifacts of a face: name to kind."""
    function = next(node for node in ast.parse(face.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef))
    kinds = {argument.arg: ast.unparse(argument.annotation) for argument in function.args.args if argument.annotation}
    return {name: kind[7:-1] for name, kind in kinds.items() if kind.startswith("Output[")}


def decides(face: Path) -> bool:
    return "('verdict', str)" in ast.unparse(ast.parse(face.read_text(encoding="utf-8")))


@dataclass
class Fetches(HTMLParser):
    """What a browser would fetch to show a page."""

    found: list[str] = field(default_factory=list)
    style: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.style = tag == "style"
        names = FETCHING | ({"href", "xlink:href"} if tag in ("link", "use", "image", "base") else set())
        self.found += [f"<{tag} {name}={value}>" for name, value in attributes if name in names and ELSEWHERE.match(value or "")]
        self.found += [f"<{tag} style={value}>" for name, value in attributes if name == "style" and IN_STYLE.search(value or "")]

    def handle_data(self, data: str) -> None:
        if self.style and IN_STYLE.search(data):
            self.found.append(f"<style>{IN_STYLE.search(data)}")

    def handle_endtag(self, tag: str) -> None:
        self.style = False


def fetches(page: str) -> list[str]:
    parser = Fetches()
    parser.feed(page)
    return parser.found


@pytest.mark.parametrize("face", [face for face in FACES if decides(face)], ids=lambda face: face.parent.name)
def test_a_step_that_decides_says_its_verdict_and_why_in_markdown(face: Path) -> None:
    assert "Markdown" in written(face).values()


def test_measures_are_where_the_user_interface_draws_them() -> None:
    kinds = {face.parent.name: set(written(face).values()) for face in FACES}
    assert "ClassificationMetrics" in kinds["evaluate"]
    measured = ("validate", "train_boosting", "train_autoencoder", "evaluate", "compare", "drift_check", "encode")
    assert [name for name in measured if "Metrics" not in kinds[name]] == []


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ('<script src="https://cdn.example/a.js">', 1),
        ("<link rel=stylesheet href=//cdn.example/a.css>", 1),
        ("<style>@import 'a.css'; p {background: url(http://cdn.example/a.png)}</style>", 1),
        ('<p style="background: url(https://cdn.example/a.png)">', 1),
        ('<svg xmlns="http://www.w3.org/2000/svg"><image xlink:href="https://cdn.example/a.png"/></svg>', 1),
        ('<a href="https://example.org">read on</a><img src="data:image/png;base64,AA"><style>p {src: url(data:font)}</style>', 0),
    ],
)
def test_what_a_browser_would_fetch_is_found(page: str, found: int) -> None:
    assert len(fetches(page)) == found


def test_a_name_from_outside_makes_no_page_fetch_anything(tmp_path: Path) -> None:
    table = Table(HOSTILE, [{HOSTILE: HOSTILE, "flag": True}], HOSTILE, flag="flag")
    page = Page(HOSTILE, HOSTILE, HOSTILE, facts={HOSTILE: HOSTILE}, parts=[table, Links(HOSTILE, {HOSTILE: "reports/a.html"})])
    page.write_html(tmp_path / "page.html")
    assert fetches((tmp_path / "page.html").read_text(encoding="utf-8")) == []
    assert not re.search(r"<(?:img|script|/style)|!\[", page.markdown())


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every HTML that a step writes, made from one month of cards: "component output" to file."""
    at = tmp_path_factory.mktemp("reports")
    cards = simulate_cards(1, seed=1, customers=200)
    write_dataset(cards, at / "data", source="test")
    write_dataset(cards.with_columns(pl.col("amount") * 100), at / "cents", source="test")
    paths = {f"{name}_path": at / name for name in ("train", "validation", "holdout", "table", "specification")}
    plan = SplitPlan(time="time", key=("transaction_id",))
    build_features(at / "data", champion_path=None, **paths, target="fraud", drop_columns=("customer_id", "terminal_id"), plan=plan)
    how = BoostingParameters(iterations=20)
    given = at / "train", at / "validation", at / "specification"
    trained = train_boosting(*given, at / "model", parameters=how)
    encoder = train_autoencoder(*given, at / "encoder", parameters=AutoencoderParameters(epochs=2, latent_sizes=[2, 4]))
    stacked = train_boosting(*given, at / "stacked", parameters=how, encoder_path=at / "encoder")
    kept = {f"{name}_path": at / f"valid-{name}" for name in ("clean", "quarantine", "schema")}
    drift = compare_tables(at / "data", at / "cents", model_path=at / "model")
    held = rollout_page(Advance("hold", "held", "no rollout is under way"), Deployment("fraud"), [])
    makers: dict[str, Callable[[Path], object]] = {
        "validate report": lambda path: validate(at / "data", **kept, report_path=path, target="fraud"),
        "train_boosting curve": trained.page().write_html,
        "train_autoencoder curve": encoder.page().write_html,
        "train_stacked curve": stacked.page().write_html,
        "evaluate report": evaluate(at / "model", at / "holdout", slice_columns=("channel",)).write_html,
        "compare report": compare(at / "model", at / "model", at / "holdout").write_html,
        "drift_check report": drift.write_html,
        "drift_check evidently": drift.write_evidently,
        "advance_rollout report": held.write_html,
    }
    for name, make in makers.items():
        make(at / f"{name}.html")
    return {name: at / f"{name}.html" for name in makers}


@pytest.mark.slow
def test_every_html_of_a_step_opens_without_a_network(pages: dict[str, Path]) -> None:
    assert set(pages) == {f"{face.parent.name} {name}" for face in FACES for name, kind in written(face).items() if kind == "HTML"}
    assert {name: fetches(page.read_text(encoding="utf-8")) for name, page in pages.items()} == {name: [] for name in pages}


@pytest.mark.parametrize("file", sorted((ROOT / "compiled/pipelines").glob("*.yaml")), ids=lambda file: file.stem)
def test_a_run_form_asks_for_little_and_each_task_has_a_name_for_people(file: Path) -> None:
    (spec,) = documents(file)
    inputs = spec["root"]["inputDefinitions"]["parameters"].values()
    assert len([item for item in inputs if not item.get("isOptional")]) <= 3
    dags = [spec["root"]["dag"], *(component["dag"] for component in spec["components"].values() if "dag" in component)]
    tasks = {
        name: task for dag in dags for name, task in dag["tasks"].items() if "dag" not in spec["components"][task["componentRef"]["name"]]
    }
    assert [name for name, task in tasks.items() if not re.match(r"[A-Z][a-z]", task["taskInfo"]["name"])] == []
