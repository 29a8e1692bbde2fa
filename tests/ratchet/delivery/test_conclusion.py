"""The exit task: it takes back what was not finished, tells somebody, and never fails."""

import json

import pytest

from ratchet.delivery.conclusion import conclude
from ratchet.delivery.holding import hold
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.policy import Policy
from ratchet.delivery.promotion import promote_version
from ratchet.delivery.verification import verify
from tests.loopback import LoopbackHandler, LoopbackServer

pytestmark = pytest.mark.slow


def ended(world, name, run_id):
    return conclude(name, run_id=run_id, open_ledger=lambda uri: world.ledger)


@pytest.fixture
def receiver():
    """A loopback server that keeps what it is told, and answers as the path says."""
    told = []

    class Receiver(LoopbackHandler):
        def do_POST(self):
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(int(self.path.strip("/")))
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

    with LoopbackServer(Receiver) as server:
        yield server.url, told


def test_a_promotion_that_was_never_verified_is_taken_back(world, name):
    first = world.promote(name, 0, f"{name}-1")
    verify(name, run_id=f"{name}-1", ledger=world.ledger)
    world.promote(name, 1, f"{name}-2")
    end = ended(world, name, f"{name}-2")
    assert (end.outcome.word, end.outcome.exit_status) == ("rolled back", 4)
    assert "version 2" in end.aborted
    assert world.ledger.deployment(name).champion == first
    assert world.aliases(name) == {"champion": "1"}


def test_a_verified_promotion_is_left_alone(world, name):
    model = world.promote(name, 0, f"{name}-1")
    verify(name, run_id=f"{name}-1", ledger=world.ledger)
    end = ended(world, name, f"{name}-1")
    assert (end.outcome.word, end.outcome.exit_status, end.aborted) == ("promoted", 0, "")
    assert world.ledger.deployment(name).champion == model


def test_what_a_person_promoted_since_is_left_alone(world, name):
    world.promote(name, 0, f"{name}-1")
    by_hand = world.register(name, 1)
    promote_version(name, by_hand.version, who="anna", why="knows better", settings=world.settings)
    ended(world, name, f"{name}-1")
    assert world.ledger.deployment(name).champion == by_hand


def test_concluding_twice_changes_nothing_more(world, name):
    world.promote(name, 0, f"{name}-1")
    first, second = ended(world, name, f"{name}-1"), ended(world, name, f"{name}-1")
    assert first.outcome == second.outcome
    assert len(world.ledger.history(name)) == 2


@pytest.mark.parametrize(("word", "status"), [("invalid", 3), ("rejected", 0), ("held", 0)])
def test_a_run_that_held_ends_with_its_word(world, name, word, status):
    hold(name, run_id=f"{name}-1", verdict=word, reason="column 'amount' is missing", ledger=world.ledger)
    end = ended(world, name, f"{name}-1")
    assert (end.outcome.word, end.outcome.exit_status) == (word, status)
    assert "column 'amount' is missing" in end.page().markdown()


def test_a_run_in_which_nothing_was_decided_ends_as_an_error(world, name):
    assert ended(world, name, f"{name}-1").outcome.exit_status == 1


def test_the_outcome_is_posted_where_a_webhook_is_configured(world, name, receiver, tmp_path):
    url, told = receiver
    (tmp_path / "webhook").write_text(f"{url}/204")
    settings = world.settings.model_copy(update={"webhook_url": f"file:{tmp_path / 'webhook'}"})
    ledger = world.ledger
    ledger.settings = settings
    hold(name, run_id=f"{name}-1", verdict="rejected", reason="no gain", ledger=ledger)
    end = conclude(name, run_id=f"{name}-1", open_ledger=lambda uri: ledger)
    assert end.notified == "webhook, status 204"
    expected = {"deployment": name, "run_id": f"{name}-1", "outcome": "rejected", "reason": "no gain", "exit_status": 0, "champion": ""}
    assert told == [expected]


@pytest.mark.parametrize("answer", ["500", "307", "302"])
def test_a_webhook_that_fails_or_redirects_is_reported_without_its_path(world, name, receiver, answer):
    url, told = receiver
    ledger = world.ledger
    ledger.settings = world.settings.model_copy(update={"webhook_url": f"{url}/{answer}"})
    end = conclude(name, run_id=f"{name}-1", open_ledger=lambda uri: ledger)
    assert end.notified.startswith("webhook failed: webhook at '127.0.0.1' did not accept: status " + answer)
    assert len(told) == 1


def test_a_ledger_that_cannot_be_reached_is_a_summary_and_not_a_failure(name, tmp_path):
    (tmp_path / "settings.yaml").write_text(f"ledger_url: sqlite:///{tmp_path}/settings.yaml/ledger.db\n")
    end = conclude(name, run_id="run", settings_uri=str(tmp_path / "settings.yaml"))
    assert end.outcome.word == "error"
    end.write(tmp_path / "missing" / "summary.md")
    end.write(tmp_path / "summary.md")
    assert "could not be concluded" in (tmp_path / "summary.md").read_text()
    assert "choose another home" in end.outcome.reason


@pytest.fixture
def tried(settings, model):
    """A ledger in which a run has begun to try a challenger."""
    ledger = Ledger.open(settings)
    ledger.promote("fraud", model(1), generation=0, who="test", why="first")
    ledger.begin("fraud", model(2), Policy(), generation=1, who="run r", why="better", run_id="r")
    return ledger


def test_a_challenger_that_a_dead_run_left_on_trial_is_taken_away(tried, model):
    done = conclude("fraud", run_id="r", open_ledger=lambda uri: tried)
    assert "which was on trial" in done.aborted
    state = tried.deployment("fraud")
    assert (state.champion, state.challenger, state.phase) == (model(1), None, "stable")
    assert tried.history("fraud")[-1].action == "abort"


def test_a_rollout_that_is_pending_is_left_for_a_later_run(tried, model):
    tried.record_verdict("r", "fraud", "advance", "pending", "labels are late")
    done = conclude("fraud", run_id="r", open_ledger=lambda uri: tried)
    assert (done.aborted, done.outcome.word) == ("", "pending")
    assert tried.deployment("fraud").challenger == model(2)


def test_what_another_run_tries_is_not_touched(tried, model):
    conclude("fraud", run_id="s", open_ledger=lambda uri: tried)
    assert tried.deployment("fraud").challenger == model(2)
