"""One advance after another: what each look does to the ledger, how often, and what happens when it is not alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ratchet.delivery.advance import Sight, advance
from ratchet.delivery.decision import Seen
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.policy import Policy

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
BY = {"who": "run r", "why": "because"}
ENOUGH = Seen(500, 500, 600, 0.8, 2000)
POLICY = Policy(minimum_requests=100, minimum_labels=100, steps=(5, 50), deadline=7200.0, lease=600.0, watch=3600.0)


class Story:
    """A ledger whose clock a test moves, a challenger under trial, and what looks are to see."""

    def __init__(self, settings, model, policy=POLICY) -> None:
        self.now = NOW
        self.ledger = Ledger.open(settings, clock=lambda: self.now)
        self.sights: list[Sight] = []
        self.asked = []
        self.slept = 0.0
        self.ledger.promote("fraud", model(1), generation=0, **BY)
        self.ledger.begin("fraud", model(2), policy, generation=1, run_id="r", **BY)

    def observe(self, rollout, as_of):
        self.asked.append(as_of)
        return self.sights.pop(0) if len(self.sights) > 1 else self.sights[0]

    def sleep(self, seconds):
        self.slept += seconds
        self.now += timedelta(seconds=seconds)

    def advance(self, run_id="r", wait=0.0, **more):
        return advance(
            "fraud",
            run_id=run_id,
            ledger=self.ledger,
            observe=self.observe,
            wait=wait,
            sleep=self.sleep,
            monotonic=lambda: (self.now - NOW).total_seconds(),
            **more,
        )


@pytest.fixture
def story(settings, model):
    return Story(settings, model)


def sight(word="pending", seen=ENOUGH, **evidence):
    return Sight(word, f"the judge says {word}", seen, {"pairs": seen.pairs, **evidence})


def test_with_enough_evidence_one_call_takes_every_step_and_says_promote(story, model):
    story.sights = [sight(), sight(), sight("promote")]
    done = story.advance()
    assert (done.verdict, done.outcome, done.version, done.generation) == ("promote", "promote", "2", 4)
    assert [row.action for row in story.ledger.history("fraud")] == ["promote", "begin", "step", "step"]
    assert [look.verdict for look in story.ledger.looks("fraud", 2)] == ["step", "step", "promote"]
    assert story.ledger.deployment("fraud").challenger == model(2), "a promotion is a step of its own"


def test_an_abort_takes_the_challenger_away_with_its_evidence(story, model):
    story.sights = [sight("abort", pairs_seen=77)]
    done = story.advance()
    assert (done.verdict, done.outcome) == ("abort", "rejected")
    state = story.ledger.deployment("fraud")
    assert (state.champion, state.challenger, state.phase) == (model(1), None, "stable")
    assert story.ledger.history("fraud")[-1].facts["look"]["pairs_seen"] == 77
    assert story.ledger.outcome("r").word == "rejected"


def test_little_evidence_is_pending_and_another_run_goes_on(story):
    story.sights = [sight(seen=replace(ENOUGH, requests=3))]
    first = story.advance("run-1")
    assert (first.verdict, story.ledger.outcome("run-1").exit_status) == ("pending", 0)
    story.sights = [sight(), sight(), sight("promote")]
    assert story.advance("run-2").verdict == "promote"


def test_a_run_that_looks_again_answers_as_before_and_does_nothing(story):
    story.sights = [sight("abort")]
    first = story.advance()
    story.sights = [sight("promote")]
    again = story.advance()
    assert (again.verdict, again.reason) == (first.verdict, first.reason)
    assert len(story.asked) == 1


def test_a_promotion_that_was_found_before_a_crash_is_void_once_the_challenger_is_gone(story):
    story.sights = [sight(), sight(), sight("promote")]
    story.advance()
    story.ledger.abort("fraud", generation=4, who="gateway", why="errors")
    again = story.advance()
    assert (again.verdict, again.outcome) == ("hold", "held")


@pytest.mark.slow
def test_waiting_ends_when_the_time_is_up_and_keeps_the_lease_meanwhile(story):
    story.sights = [sight(seen=replace(ENOUGH, requests=3))]
    done = story.advance(wait=60.0)
    assert done.verdict == "pending"
    assert 55 <= story.slept <= 65
    assert story.ledger.lease("fraud") == NOW + timedelta(hours=2), "between runs only the deadline ends it"


@pytest.mark.slow
def test_a_short_lease_does_not_run_out_while_a_run_waits(settings, model):
    story = Story(settings, model, replace(POLICY, lease=1.0))
    story.sights = [sight(seen=replace(ENOUGH, requests=3))]
    leased = []
    move = story.sleep

    def sleep(seconds):
        move(seconds)
        leased.append(story.ledger.lease("fraud") - story.now)

    story.sleep = sleep
    story.advance(wait=20.0)
    assert min(leased) > timedelta(0), "the gateway would have taken the challenger away"


@pytest.mark.slow
def test_nobody_waits_for_traffic_that_does_not_come(story):
    story.sights = [sight(seen=Seen(0, 0, 0, 0.0, 0))]
    assert story.advance(wait=600.0).verdict == "pending"
    assert story.slept < 120


@pytest.mark.slow
def test_looks_that_see_the_same_are_one_look(story):
    story.sights = [sight(seen=replace(ENOUGH, requests=3))]
    story.advance(wait=30.0)
    assert len(story.ledger.looks("fraud", 2)) == 1


def test_who_is_slower_than_the_gateway_looks_again(story):
    def observe(rollout, as_of):
        if rollout.deployment.percent == 0:
            story.ledger.abort("fraud", generation=rollout.deployment.generation, who="gateway", why="errors")
        return sight()

    story.observe = observe
    done = story.advance()
    assert (done.verdict, done.outcome) == ("hold", "held")
    assert "no rollout" in done.reason


def test_the_deadline_holds(story):
    story.sights = [sight(seen=replace(ENOUGH, requests=3))]
    story.now += timedelta(hours=3)
    done = story.advance()
    assert (done.verdict, done.outcome) == ("hold", "held")
    assert story.ledger.deployment("fraud").challenger is None


def test_without_a_rollout_there_is_nothing_to_do(story):
    story.ledger.abort("fraud", generation=2, **BY)
    assert story.advance().verdict == "hold"


def watched(story, model):
    facts = {"policy": POLICY.as_dict(), "rollout": 2}
    story.ledger.promote("fraud", model(2), generation=2, watch=True, evidence=facts, **BY)


def test_a_promotion_that_turns_out_bad_is_rolled_back_by_itself(story, model):
    watched(story, model)
    story.sights = [sight("abort")]
    done = story.advance("watcher")
    assert (done.verdict, done.outcome) == ("rollback", "rolled back")
    assert story.ledger.deployment("fraud").champion == model(1)
    assert story.ledger.outcome("watcher").exit_status == 4


def test_a_watch_that_found_nothing_ends(story, model):
    watched(story, model)
    story.sights = [sight()]
    assert story.advance("early").verdict == "pending"
    story.now += timedelta(hours=1)
    done = story.advance("late")
    assert (done.verdict, done.outcome) == ("hold", "held")
    state = story.ledger.deployment("fraud")
    assert (state.champion, state.phase) == (model(2), "stable")


def test_as_of_is_what_is_looked_at(story):
    story.sights = [sight("abort")]
    past = NOW - timedelta(days=900)
    story.advance(as_of=past)
    assert story.asked == [past]
