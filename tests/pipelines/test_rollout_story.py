"""The acceptance story: fraud on real data, through the real gateway, in simulated time, with labels that come seven days late.

Given a champion that was trained on June without the windows, each part replays days of August: what a challenger meets, when its labels
arrive, and what becomes of it. Fraud is hard here: 0.84% of payments, and a missed one costs twenty false alarms.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from ratchet.data.tables import read_dataset, write_dataset
from ratchet.delivery.beginning import begin_rollout
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.policy import Policy
from ratchet.delivery.promotion import promote_in_run, promote_version
from ratchet.delivery.registry import Lineage, register_model
from ratchet.delivery.trial_run import TrialRun, advance_in_run
from ratchet.features.build import build_features
from ratchet.features.split_plan import SplitPlan
from ratchet.models.package import ModelPackage
from ratchet.models.training import BoostingParameters, train_boosting
from ratchet.settings import Settings
from ratchet.traffic.replay import Gateway, Replay, seconds
from tests.gateway import GatewayProcess, gateway
from tests.pipelines.rollout_world import until

pytestmark = [pytest.mark.pipeline, pytest.mark.realdata, pytest.mark.slow]

CONFIG = Path(__file__).resolve().parents[2] / "pipelines" / "delivery" / "configs" / "fraud_handbook.yaml"
NAME = "fraud"
WEEK = timedelta(days=7)
COSTS = {"cost_false_negative": 20.0, "cost_false_positive": 1.0}
PORTION = 1000  # requests at a time, which a shadow's queue holds
SWAPPED = {"terminal_risk_7d": "card_mean_7d", "card_mean_7d": "terminal_risk_7d"}
POLICY = {
    "label_delay": "7d",
    "steps": [20, 50],
    "margin": 0.005,
    "minimum_requests": 300,
    "minimum_labels": 400,
    "key": "CUSTOMER_ID",
    "watch": "14d",
    "timeout_ms": 10_000,
    "latency_slack_ms": 1000.0,  # two processes share two cores with other tests; what is judged here is fraud, not speed
}


@dataclass
class Story:
    """One installation, its gateway, and the payments of August."""

    settings: Settings
    gateway: GatewayProcess
    payments: pl.DataFrame
    versions: dict[str, str]
    sent: dict[str, pl.DataFrame] = field(default_factory=dict)
    runs: int = 0

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.settings)

    def begin(self, which: str, **policy: Any) -> str:
        """Begin the rollout of a trained model, as a run of `delivery` does."""
        self.runs += 1
        run, generation = f"run-{self.runs}", self.ledger.deployment(NAME).generation
        rules = Policy.parse({**POLICY, **policy})
        begun = begin_rollout(
            NAME, self.versions[which], generation=generation, run_id=run, why="better offline", policy=rules, ledger=self.ledger
        )
        assert begun.verdict == "begun", begun.reason
        self.wait()
        return run

    def wait(self) -> None:
        """Wait until the gateway serves what the ledger says, the model beside the champion included."""
        state = self.ledger.deployment(NAME)
        wanted = [model.version for model in (state.champion, state.companion) if model]
        until(lambda: json.loads(self.gateway.get(f"/v2/models/{NAME}")[1])["versions"] == wanted, 60, lambda: f"{wanted} are not served")

    def replay(self, part: str, day: int, rows: int, *, skip: int = 0, swapped: bool = False) -> None:
        """Send payments of a day of August as live requests."""
        start = datetime(2018, 8, day)
        table = self.payments.filter(pl.col("TX_DATETIME") >= start).slice(skip, rows)
        sent = table.rename(SWAPPED) if swapped else table
        how: dict[str, Any] = {"key": "CUSTOMER_ID", "time": "TX_DATETIME", "rate": 5000.0}
        for number, portion in enumerate(sent.iter_slices(PORTION)):
            done = Replay(self.gateway.url, NAME, prefix=f"{part}-{number}", **how).send(portion)
            assert (done.requests, done.failed) == (len(portion), 0), done.errors[:3]
            self.wait_for_companion()
        self.sent[part] = table

    def wait_for_companion(self) -> None:
        """Wait until it has answered all it was asked: on a loaded machine a shadow is slow, and skips what its queue has no room for."""

        def answered() -> bool:
            companion = json.loads(self.gateway.get("/v2/health/ready")[1])["deployments"][NAME]["companion"]
            return companion is None or not companion["unanswered_rows"]

        until(answered, 60, lambda: self.gateway.get("/v2/health/ready")[1])

    def label(self, part: str) -> None:
        """Let the labels of a part arrive, each seven days after its payment."""
        client = Gateway(self.gateway.url, NAME)
        rows = self.sent[part].select("TX_DATETIME", "TX_FRAUD").rows()
        labels = [
            {"request_id": f"{part}-{i // PORTION}-{i % PORTION}", "label": fraud, "time": seconds(at + WEEK)}
            for i, (at, fraud) in enumerate(rows)
        ]
        for first in range(0, len(labels), 5000):
            _, problem = client.feedback(labels[first : first + 5000])
            assert not problem
        client.close()

    def advance(self, day: int, run: str = "") -> TrialRun:
        """Advance, seeing what was known by the end of a day of August; waits for the gateway to have rolled what it recorded."""
        self.runs += 1
        as_of = datetime(2018, 8, day, 23, 59, tzinfo=UTC).isoformat()
        self.settle()
        return advance_in_run(NAME, run_id=run or f"run-{self.runs}", version="", generation=0, wait="0s", as_of=as_of, ledger=self.ledger)

    def settle(self) -> None:
        """Restart the gateway: it rolls what it recorded when it drains."""
        assert self.gateway.stop() == 0
        self.gateway.start()
        self.wait()

    def promote(self, run: str, done: TrialRun) -> None:
        change = promote_in_run(NAME, done.version, generation=done.generation, run_id=run, why=done.reason, ledger=self.ledger)
        assert change.word == "promoted", change.reason
        self.wait()

    def loss_of(self, done: TrialRun) -> str:
        return next((gate["reason"] for gate in done.looks[-1].facts["gates"] if gate["name"] in ("loss", "watch")), "")


def trained(folder: Path, data: Path, *, windows: bool, swapped: bool = False, **dates: str) -> Path:
    """Make features and train as the components do; return the folder with the package, its reference and a table of all rows."""
    given = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    folder.mkdir()
    build_features(
        data,
        champion_path=None,
        train_path=folder / "train",
        validation_path=folder / "validation",
        holdout_path=folder / "holdout",
        table_path=folder / "table",
        specification_path=folder / "specification.json",
        target="TX_FRAUD",
        expressions=given["expressions"],
        windows=given["windows"] if windows else [],
        drop_columns=given["drop_columns"],
        plan=SplitPlan(
            time="TX_DATETIME", key=("TRANSACTION_ID",), label_delay="7d", holdout_from="2018-08-08", holdout_until="2018-08-09", **dates
        ),
    )
    if swapped:
        for part in ("train", "validation"):
            rows = read_dataset(folder / part)
            write_dataset(rows.rename(SWAPPED).select(rows.columns), folder / f"{part}-swapped", source="the test")
    suffix = "-swapped" if swapped else ""
    how = BoostingParameters(iterations=150, **COSTS)
    train_boosting(
        folder / f"train{suffix}", folder / f"validation{suffix}", folder / "specification.json", folder / "model", parameters=how
    )
    return folder


@pytest.fixture(scope="module")
def story(real_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    home = tmp_path_factory.mktemp("home")
    settings = Settings(home=home / "installation")
    rows = pl.read_parquet(real_data("fraud_handbook/transactions.parquet"))
    rows = rows.filter(pl.col("TX_DATETIME") < datetime(2018, 8, 20), pl.col("TX_DATETIME") >= datetime(2018, 5, 1))
    write_dataset(rows, home / "data", source="fraud_handbook")
    july = {"train_from": "2018-07-18", "train_until": "2018-08-01"}
    parts = {
        "june": trained(home / "june", home / "data", windows=False, train_from="2018-06-01", train_until="2018-07-01"),
        "july": trained(home / "july", home / "data", windows=True, **july),
        "swapped": trained(home / "swapped", home / "data", windows=True, swapped=True, **july),
        "stale": trained(home / "stale", home / "data", windows=False, train_from="2018-05-01", train_until="2018-05-05"),
    }
    (home / "schema.yaml").write_text("{}\n", encoding="utf-8")
    versions = {}
    for name, folder in parts.items():
        lineage = Lineage(NAME, 0, f"training of {name}", {}, {})
        versions[name] = register_model(
            folder / "model", folder / "holdout", home / "schema.yaml", lineage=lineage, settings=settings
        ).version
    promote_version(NAME, versions["june"], who="test", why="first", settings=settings)
    payments = read_dataset(home / "july" / "table").filter(pl.col("TX_DATETIME") >= datetime(2018, 8, 8)).sort("TX_DATETIME")
    with gateway(settings.home, "--rehearsal") as process:
        yield Story(settings, process, payments, versions)


def test_a_challenger_whose_columns_were_swapped_upstream_is_aborted_in_shadow(story: Story) -> None:
    run = story.begin("swapped")
    story.replay("spoiled", day=8, rows=1500)
    early = story.advance(day=9, run=run)
    assert early.verdict == "pending", early.reason
    story.label("spoiled")
    done = story.advance(day=16)
    print(f"\nswapped columns: {done.verdict}: {story.loss_of(done)}")
    assert done.verdict == "abort"
    assert done.looks[-1].phase == "shadow"
    assert story.ledger.deployment(NAME).champion.version == story.versions["june"]


def test_a_better_challenger_is_pending_until_its_labels_arrive_and_is_then_promoted(story: Story) -> None:
    run = story.begin("july")
    story.replay("august-8", day=8, rows=6000)
    early = story.advance(day=9, run=run)
    assert early.verdict == "pending"
    assert "0 of at least 400 requests have a label" in early.reason
    story.label("august-8")
    assert story.advance(day=9).verdict == "pending", "labels from the future do not count"

    labelled = story.advance(day=16)
    assert (labelled.verdict, labelled.state.phase, labelled.state.percent) == ("pending", "canary", 20), labelled.reason
    story.replay("august-17", day=17, rows=2600)
    stepped = story.advance(day=17)
    assert (stepped.verdict, stepped.state.percent) == ("pending", 50), stepped.reason
    story.replay("august-18", day=18, rows=1400)
    done = story.advance(day=18, run="run-promoting")
    print(f"\nbetter challenger: {done.verdict}: {story.loss_of(done)}")
    assert done.verdict == "promote", done.reason
    story.promote("run-promoting", done)
    state = story.ledger.deployment(NAME)
    assert (state.champion.version, state.phase) == (story.versions["july"], "watch")


def test_a_promotion_that_turns_out_bad_on_later_labels_is_rolled_back_by_itself(story: Story) -> None:
    assert story.ledger.deployment(NAME).phase == "watch"
    story.replay("broken", day=18, rows=1500, skip=1500, swapped=True)
    assert story.advance(day=19).verdict == "pending"
    story.label("broken")
    done = story.advance(day=27)
    print(f"\nafter the promotion: {done.verdict}: {done.reason}")
    assert (done.verdict, done.outcome) == ("rollback", "rolled back")
    assert story.ledger.deployment(NAME).champion.version == story.versions["june"]


def test_a_challenger_that_was_trained_on_stale_data_is_aborted_in_its_canary(story: Story) -> None:
    promote_version(NAME, story.versions["july"], who="test", why="upstream is repaired", settings=story.settings)
    story.wait()
    story.begin("stale", shadow=False)
    story.replay("stale", day=9, rows=7000)
    story.label("stale")
    done = story.advance(day=17)
    print(f"\nstale data: {done.verdict}: {story.loss_of(done)}")
    assert done.verdict == "abort"
    assert done.looks[-1].phase == "canary"
    assert story.ledger.deployment(NAME).champion.version == story.versions["july"]


def test_every_change_is_in_the_chain(story: Story) -> None:
    assert story.ledger.verify_chain(NAME).head == "confirmed"
    actions = [row.action for row in story.ledger.history(NAME)]
    assert actions == ["promote", "begin", "abort", "begin", "step", "step", "promote", "rollback", "promote", "begin", "abort"]


def test_the_models_are_what_the_story_says(story: Story) -> None:
    package = ModelPackage.load(next(Path(story.settings.artifacts()).rglob("model/ratchet.json")).parent)
    assert package.parameters["cost_false_negative"] == 20.0
