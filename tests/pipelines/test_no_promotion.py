"""Missing data never promotes: traffic, labels, predictions, storage and ledger, right and wrong in every combination.

One combination of them all may come to "promote", and must, or the others would prove nothing. Whatever is missing from another one, its
answer is never "promote", and once the deadline has passed the challenger goes.
"""

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from ratchet.delivery.advance import Advance, Sight, advance
from ratchet.delivery.evidence import TrafficEvidence
from ratchet.delivery.ledger import Ledger, ModelRef
from ratchet.delivery.policy import Policy
from ratchet.delivery.rollout import Rollout
from ratchet.errors import LedgerError
from ratchet.settings import Settings
from ratchet.traffic.journal import Journal
from ratchet.traffic.records import Label, Prediction
from ratchet.traffic.store import TrafficStore
from tests.pipelines.rollout_clients import NAME
from tests.pipelines.rollout_world import durable, models, registered
from tests.postgres import PostgreSQL

__all__ = ["models", "registered"]  # fixtures

pytestmark = pytest.mark.slow

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LOSS = {"kind": "cost", "cost_false_negative": 5.0}
POLICY = Policy(
    shadow=False,
    steps=(50,),
    margin=0.05,
    minimum_requests=60,
    minimum_labels=60,
    loss=LOSS,
    label_delay=DAY.total_seconds(),
    grace=0.0,
    deadline=20 * DAY.total_seconds(),
)
ROWS = 360
ROLES = ("champion", "challenger")
TRAFFIC = ("no traffic", "traffic")
LABELS = ("no labels", "labels not due", "labels of no class", "right labels")
PREDICTIONS = ("finite", "NaN", "errors")
STORES = ("store", "no store", "damaged store")
LEDGERS = ("ledger", "ledger away")
RIGHT = ("traffic", "right labels", "finite", "store", "ledger")
CELLS = list(itertools.product(TRAFFIC, LABELS, PREDICTIONS, STORES, LEDGERS))
ONE_SIDED = ("champion NaN", "champion errors", "both NaN", "both errors")
EMPTIED = (
    "requests from before the rollout",
    "requests of another deployment",
    "requests from the future",
    "the challenger's answers only",
)


@dataclass
class Installation:
    """A ledger with a challenger at the last step of its canary, and a clock that a test moves."""

    settings: Settings
    now: datetime = START
    store: Path = field(init=False)

    def __post_init__(self) -> None:
        self.store = self.settings.traffic_folder()

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.settings, clock=lambda: self.now)

    def begin(self, models: tuple[ModelRef, ...]) -> None:
        by = {"who": "test", "why": "better"}
        self.ledger.promote(NAME, models[0], generation=0, **by)
        self.ledger.begin(NAME, models[1], POLICY, generation=1, **by)

    def advance(self, run_id: str, ledger_goes: Callable[[], None] | None = None) -> Advance:
        """Advance once; the ledger goes away, if at all, when the rollout has been read and the evidence is looked at."""
        ledger = self.ledger

        def observe(rollout: Rollout, as_of: datetime) -> Sight:
            if ledger_goes is not None:
                ledger_goes()
            return TrafficEvidence(ledger)(rollout, as_of)

        return advance(NAME, run_id=run_id, ledger=ledger, observe=observe)


@pytest.fixture(scope="session")
def begun(models: tuple[ModelRef, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that the cells copy."""
    home = tmp_path_factory.mktemp("begun") / "home"
    Installation(Settings(home=home)).begin(models)
    return home


@pytest.fixture
def installation(begun: Path, tmp_path: Path) -> Installation:
    home = tmp_path / "home"
    shutil.copytree(begun, home)
    return Installation(Settings(home=home))


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, str], Path]:
    """Return a store of traffic; each is made once, by the journal and the roller of production."""
    folder, made = tmp_path_factory.mktemp("recorded"), {}

    def of(traffic: str, labels: str, predictions: str) -> Path:
        key = (traffic, labels, predictions)
        if key not in made:
            made[key] = folder / str(len(made))
            journal = Journal(folder / "journal", writer="test")
            journal.append([*requests(traffic, predictions), *labels_of(labels)])
            sealed = journal.seal()
            journal.close()
            made[key].mkdir()
            if sealed:
                TrafficStore(made[key]).roll(sealed)
        return made[key]

    return of


def requests(traffic: str, predictions: str) -> Iterator[Prediction]:
    """Yield what both models made of each request; the challenger is always right, the champion in four of five."""
    shift = 40 * DAY if traffic == "requests from the future" else timedelta(0)
    rollout = 0 if traffic == "requests from before the rollout" else 2
    name = "other" if traffic == "requests of another deployment" else NAME
    roles = {"no traffic": (), "the challenger's answers only": ROLES[1:]}.get(traffic, ROLES)
    for i in range(ROWS):
        for role in roles:
            spoiled = predictions if predictions.startswith((role, "both")) or (predictions in PREDICTIONS and role == "challenger") else ""
            answer = 0.9 if truth(i) == (role == "challenger" or i % 5 > 0) else 0.1
            yield Prediction(
                request_id=f"r{i}",
                time=(START + shift).timestamp() + i,
                deployment=name,
                version="1" if role == "champion" else "2",
                role=role,
                phase="canary",
                percent=50,
                generation=2,
                rollout=rollout,
                served=(role == "challenger") == bool(i % 2),
                unit="",
                inputs={"price": 10.0},
                prediction=() if "errors" in spoiled else (float("nan") if "NaN" in spoiled else answer,),
                latency_ms=5.0 + i % 7,
                error="boom" if "errors" in spoiled else "",
            )


def truth(i: int) -> bool:
    return i % 3 == 0


def labels_of(labels: str) -> Iterator[Label]:
    """Yield the label of each request, a day and a minute after it."""
    late = 60 * DAY if labels == "labels not due" else DAY + timedelta(minutes=1)
    for i in range(ROWS if labels != "no labels" else 0):
        at = (START + late).timestamp() + i
        yield Label(f"r{i}", at, at, NAME, "3" if labels == "labels of no class" else str(int(truth(i))))


def put(store: str, source: Path, target: Path) -> None:
    """Put a store where the judge reads it, whole, or not at all, or with one byte of each part flipped."""
    if store == "no store":
        return
    shutil.copytree(source, target)
    for part in target.rglob("*.parquet") if store == "damaged store" else ():
        content = bytearray(part.read_bytes())
        content[len(content) // 2] ^= 1
        part.write_bytes(bytes(content))


@contextmanager
def away(settings: Settings) -> Iterator[Callable[[], None]]:
    """Give what replaces the ledger's file by a directory; put it back afterwards."""
    path, aside = Path(settings.ledger().removeprefix("sqlite:///")), settings.home / "aside"

    def go() -> None:
        path.rename(aside)
        path.mkdir()

    yield go
    if aside.exists():
        path.rmdir()
        aside.rename(path)


def is_untouched(installation: Installation, run_id: str) -> None:
    """Assert that nothing was promoted, and that nothing says so."""
    ledger = installation.ledger
    assert ledger.deployment(NAME).champion.version == "1"
    assert [row.action for row in ledger.history(NAME)].count("promote") == 1
    assert "promote" not in [said.verdict for said in ledger.verdicts(run_id).values()]
    assert "promote" not in [look.verdict for look in ledger.looks(NAME, 2)]
    assert ledger.verify_chain(NAME).head == "confirmed"


def never_promotes(installation: Installation, *, ledger_away: bool = False) -> None:
    """Look before the deadline and after it, and assert that neither promotes and that the second one is the end."""
    for run_id, days, words in (("early", 10, {"pending", "abort", "hold"}), ("late", 30, {"hold", "abort"})):
        installation.now = START + days * DAY
        if ledger_away:
            with away(installation.settings) as goes, pytest.raises(LedgerError):
                installation.advance(run_id, goes)
        else:
            answer = installation.advance(run_id)
            assert answer.verdict in words, answer.reason
        is_untouched(installation, run_id)
    if not ledger_away:
        assert installation.ledger.deployment(NAME).challenger is None, "after its deadline nothing is under trial"


@pytest.mark.parametrize("cell", CELLS, ids=", ".join)
def test_only_where_all_is_right_a_challenger_is_promoted(installation, recorded, cell):
    traffic, labels, predictions, store, ledger = cell
    put(store, recorded(traffic, labels, predictions), installation.store)
    if cell == RIGHT:
        installation.now = START + 10 * DAY
        done = installation.advance("early")
        assert (done.verdict, done.version) == ("promote", "2"), done.reason
    else:
        never_promotes(installation, ledger_away=ledger == "ledger away")


@pytest.mark.parametrize("predictions", ONE_SIDED)
def test_a_champion_that_gave_no_number_is_no_evidence_for_the_challenger(installation, recorded, predictions):
    put("store", recorded("traffic", "right labels", predictions), installation.store)
    never_promotes(installation)


@pytest.mark.parametrize("traffic", EMPTIED)
def test_requests_that_are_none_of_this_rollout_are_no_evidence(installation, recorded, traffic):
    put("store", recorded(traffic, "right labels", "finite"), installation.store)
    never_promotes(installation)


@pytest.mark.parametrize("predictions", PREDICTIONS)
def test_with_postgresql_killed_at_the_look_nothing_is_promoted(postgresql: PostgreSQL, models, tmp_path, recorded, predictions):
    installation = Installation(Settings(home=tmp_path, ledger_url=durable(postgresql)))
    installation.begin(models)
    put("store", recorded("traffic", "right labels", predictions), installation.store)
    installation.now = START + 10 * DAY
    try:
        with pytest.raises(LedgerError):
            installation.advance("early", postgresql.kill)
        with pytest.raises(LedgerError):
            installation.ledger.deployment(NAME)
    finally:
        postgresql.start()
    is_untouched(installation, "early")
    with installation.ledger.database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM looks")).scalar() == 0
    assert (installation.advance("early").verdict == "promote") == (predictions == "finite"), "the run that is done again comes to a word"
