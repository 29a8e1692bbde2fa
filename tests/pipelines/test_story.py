"""The demo's story is no lucky draw: its verdicts on ten random seeds, by the components themselves.

The steps are called in the pipeline's order within one process, because thirty real runs would take a quarter of an hour; that the
runner does the same is shown in test_delivery.py.
"""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import dsl

from ratchet.data.absent import write_absent
from ratchet.data.cards import write_cards

CONFIG = Path(__file__).resolve().parents[2] / "pipelines" / "delivery" / "configs" / "card_transactions.yaml"
SEEDS = (11, 23, 37, 41, 59, 61, 73, 89, 97, 101)
TYPES = {f"system.{kind.__name__}": kind for kind in (dsl.Artifact, dsl.Dataset, dsl.Model, dsl.Metrics, dsl.HTML, dsl.Markdown)}
TYPES["system.ClassificationMetrics"] = dsl.ClassificationMetrics

pytestmark = pytest.mark.pipeline


class Step:
    """One call of a component: its artifacts and its output parameters by name."""

    def __init__(self, face: Any, folder: Path, **arguments: Any) -> None:
        outputs = face.component_spec.outputs
        kinds = {name: TYPES.get(str(spec.type).partition("@")[0]) for name, spec in outputs.items()}
        self.artifacts = {name: kind(uri=str(folder / name), name=name) for name, kind in kinds.items() if kind}
        folder.mkdir(parents=True)
        known = {name: value for name, value in arguments.items() if name in (face.component_spec.inputs or {})}
        self.values = face.python_func(**known, **self.artifacts)
        self.names = [name for name, kind in kinds.items() if not kind]

    def __getitem__(self, name: str) -> Any:
        return self.artifacts[name] if name in self.artifacts else self.values[self.names.index(name)]


def nothing_live(folder: Path) -> dict[str, Any]:
    """What the champion step writes when nothing is deployed."""
    write_absent(folder / "package", "nothing is deployed")
    write_absent(folder / "reference", "nothing is deployed")
    (folder / "schema.yaml").write_text("{}\n")
    return {
        "package": dsl.Model(uri=str(folder / "package")),
        "reference": dsl.Dataset(uri=str(folder / "reference")),
        "schema": dsl.Artifact(uri=str(folder / "schema.yaml")),
    }


def month(folder: Path, live: dict[str, Any], source: Path) -> tuple[str, dict[str, Any]]:
    """Run a month's steps; return the verdict and what is live afterwards."""
    from components.data_processing.features.component import features
    from components.data_processing.ingest.component import ingest
    from components.data_processing.validate.component import validate
    from components.evaluation.compare.component import compare
    from components.training.train_boosting.component import train_boosting

    given = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    data = Step(ingest, folder / "ingest", **given, source=str(source))
    checked = Step(validate, folder / "validate", **given, data=data["data"], champion_schema=live["schema"])
    if checked["verdict"] == "invalid":
        return "invalid", live
    table = Step(features, folder / "features", **given, data=checked["clean"], champion=live["package"])
    parts = {name: table[name] for name in ("train", "validation", "specification")}
    trained = Step(train_boosting, folder / "train", **given, **parts)
    judged = Step(compare, folder / "compare", **given, challenger=trained["model"], champion=live["package"], holdout=table["holdout"])
    if judged["verdict"] == "reject":
        return "rejected", live
    return "promoted", {"package": trained["model"], "reference": table["table"], "schema": checked["schema"]}


def story(seed: int, folder: str) -> tuple[int, tuple[str, ...], str]:
    """Three months with the fault, and the third once more without it."""
    root = Path(folder) / str(seed)
    root.mkdir()
    live = nothing_live(root)
    verdicts = []
    for number in (1, 2, 3):
        source = root / f"{number}.csv"
        write_cards(source, months=[number], seed=seed, fault=number == 3)
        before = live
        verdict, live = month(root / f"month-{number}", live, source)
        verdicts.append(verdict)
    write_cards(root / "clean.csv", months=[3], seed=seed)
    clean, _ = month(root / "month-3-clean", before, root / "clean.csv")
    return seed, tuple(verdicts), clean


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, tuple[str, ...], str]]:
    folder = str(tmp_path_factory.mktemp("stories"))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return list(pool.map(story, SEEDS, [folder] * len(SEEDS)))


def test_the_story_ends_as_told_on_nine_of_ten_seeds(
    stories: list[tuple[int, tuple[str, ...], str]], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print("\nseed  month 1     month 2     month 3     month 3 without the fault")
        for seed, verdicts, clean in stories:
            print(f"{seed:>4}  {verdicts[0]:<11} {verdicts[1]:<11} {verdicts[2]:<11} {clean}")
    as_told = [verdicts[:2] == ("promoted", "promoted") and verdicts[2] in ("invalid", "rejected") for _, verdicts, _ in stories]
    assert sum(as_told) >= 9


def test_a_month_without_a_fault_is_never_called_invalid(stories: list[tuple[int, tuple[str, ...], str]]) -> None:
    assert [seed for seed, _, clean in stories if clean == "invalid"] == []
