"""What the judge is shown of recorded traffic, and what it answers: from the journal's records to the word."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ratchet.delivery.policy import Metric, Policy
from ratchet.traffic.records import Label
from tests.ratchet.delivery.recorded import DAY, LATER, START, Trial, canary

pytestmark = pytest.mark.slow  # trained models and days of their traffic

LOSS = {"kind": "cost", "cost_false_negative": 5.0}
POLICY = Policy(margin=0.05, minimum_requests=100, minimum_labels=100, loss=LOSS, label_delay=DAY, grace=0.0, latency_slack_ms=0.0)


@pytest.fixture
def trial(world, name, tmp_path):
    return Trial(world, name, tmp_path, POLICY)


LABELS = [int(i % 5 == 0) for i in range(600)]
RIGHT, WRONG = np.array(LABELS) * 0.8 + 0.1, np.array([0.9 if i % 3 == 0 else 0.1 for i in range(600)])


def test_a_better_challenger_on_canary_traffic_passes_every_gate(trial):
    canary(trial)
    trial.traffic(LABELS, WRONG, RIGHT, assign=lambda i: i % 2)
    sight = trial.look()
    assert sight.word == "promote", sight.reason
    assert (sight.seen.pairs, sight.seen.total, sight.seen.requests, sight.seen.coverage) == (600, 600, 300, 1.0)
    assert [gate["verdict"] for gate in sight.evidence["gates"]] == ["pass"] * 4


def test_a_worse_challenger_is_aborted_in_shadow(trial):
    trial.traffic(LABELS, RIGHT, WRONG)
    sight = trial.look()
    assert sight.word == "abort"
    assert sight.reason.startswith("loss")


@pytest.mark.parametrize("constant", [0.0, 1.0], ids=["never flags", "always flags"])
def test_a_challenger_that_always_gives_one_answer_is_never_promoted(trial, constant):
    canary(trial)
    trial.traffic(LABELS, np.full(600, constant), np.full(600, constant), assign=lambda i: i % 2)
    assert trial.look().word != "promote"


@pytest.mark.parametrize(
    ("labels", "as_of", "why"),
    [
        ([None] * 600, LATER, "no pair counts yet"),
        (LABELS, datetime.fromtimestamp(START + 0.9 * DAY, UTC), "no pair counts yet"),
        (LABELS, datetime.fromtimestamp(START - 1, UTC), ""),
        ([3] * 600, LATER, "no pair counts yet"),
    ],
    ids=["no labels", "labels not due yet", "before all traffic", "labels of no class"],
)
def test_nothing_is_promoted_without_labels_that_count(trial, labels, as_of, why):
    canary(trial)
    trial.traffic(labels, WRONG, RIGHT, assign=lambda i: i % 2)
    sight = trial.look(as_of)
    assert sight.word == "pending"
    assert why in sight.reason
    assert sight.seen.pairs == 0


def test_a_challenger_without_a_number_has_the_worst_loss(trial):
    canary(trial)
    trial.traffic(LABELS, RIGHT, np.full(600, np.nan), assign=lambda i: i % 2)
    sight = trial.look()
    assert sight.word == "abort"
    assert "without a finite loss" in sight.reason


def test_no_traffic_says_what_to_do(trial):
    sight = trial.look()
    assert (sight.word, sight.seen.total) == ("pending", 0)
    assert "ratchet serve" in sight.reason


def test_a_challenger_that_fails_is_aborted_without_a_single_label(trial):
    trial.traffic([None] * 200, WRONG[:200], RIGHT[:200], error=lambda i, role: "boom" if role == "challenger" else "")
    sight = trial.look()
    assert sight.word == "abort"
    assert sight.reason.startswith("errors")


def test_a_slow_challenger_is_aborted_on_canary_traffic(trial):
    canary(trial)
    noise = np.random.default_rng(0).lognormal(2, 0.25, 600)
    trial.traffic(
        [None] * 600, WRONG, RIGHT, assign=lambda i: i % 2, latency=lambda i, role: noise[i] * (1.6 if role == "challenger" else 1)
    )
    assert trial.look().reason.startswith("latency")


def test_a_slowdown_that_nobody_notices_is_none(world, name, tmp_path):
    trial = Trial(world, name, tmp_path, replace(POLICY, latency_slack_ms=8.0))
    canary(trial)
    noise = np.random.default_rng(0).lognormal(2, 0.25, 600)
    trial.traffic(LABELS, WRONG, RIGHT, assign=lambda i: i % 2, latency=lambda i, role: noise[i] * (1.6 if role == "challenger" else 1))
    assert trial.look().word == "promote"


def test_a_broken_split_is_held(trial):
    canary(trial, percent=50)
    trial.traffic(LABELS, WRONG, RIGHT, assign=lambda i: i % 10 == 0)
    sight = trial.look()
    assert sight.word == "hold"
    assert sight.reason.startswith("ratio")


def test_a_unit_that_returns_counts_once_in_the_split(trial):
    canary(trial, percent=50)
    trial.traffic(LABELS, WRONG, RIGHT, assign=lambda i: i % 40 >= 20 if i >= 80 else i % 2, unit=lambda i: f"card-{i % 80}")
    ratio = next(gate for gate in trial.look().evidence["gates"] if gate["name"] == "ratio")
    assert ratio["tests"][0]["n"] == 80


def test_a_damaged_store_is_no_evidence(trial):
    canary(trial)
    trial.traffic(LABELS, WRONG, RIGHT, assign=lambda i: i % 2)
    part = next((trial.folder / "traffic").rglob("predictions/**/*.parquet"))
    part.write_bytes(part.read_bytes()[:-20])
    sight = trial.look()
    assert sight.word == "pending"
    assert part.name in sight.reason


def test_a_block_is_judged_when_it_is_closed(world, name, tmp_path):
    trial = Trial(world, name, tmp_path, replace(POLICY, label_delay=0.0, key="card", block=DAY))
    trial.traffic(LABELS, RIGHT, WRONG, unit=lambda i: f"card-{i % 50}")
    during = datetime.fromtimestamp(START + DAY + 700, UTC)
    assert trial.look(during).seen.pairs == 0
    closed = trial.look(during + timedelta(days=1))
    assert (closed.seen.pairs, closed.word) == (600, "abort")
    assert closed.evidence["gates"][0]["tests"][0]["facts"]["blocks"] == 50


def test_a_business_metric_may_abort_what_the_loss_likes(world, name, tmp_path):
    revenue = Metric("revenue", "CASE WHEN prediction > 0.5 THEN price ELSE 0 END", high=20.0)
    trial = Trial(world, name, tmp_path, replace(POLICY, metrics=(revenue,), block=60.0))
    canary(trial)
    trial.traffic(LABELS, np.full(600, 0.9), RIGHT, assign=lambda i: i % 2)
    gates = {gate["name"]: gate for gate in trial.look().evidence["gates"]}
    assert gates["loss"]["verdict"] == "pass"
    assert gates["revenue"]["verdict"] == "abort"


def test_a_metric_that_cannot_be_measured_waits_and_says_so(world, name, tmp_path):
    trial = Trial(world, name, tmp_path, replace(POLICY, metrics=(Metric("revenue", "prize * 2"),), block=60.0))
    canary(trial)
    trial.traffic(LABELS, WRONG, RIGHT, assign=lambda i: i % 2)
    sight = trial.look()
    assert sight.word == "pending"
    assert "prize" in sight.reason


def test_labels_that_come_after_a_promotion_count_in_its_watch(trial):
    canary(trial)
    trial.traffic([None] * 600, RIGHT, WRONG, assign=lambda i: i % 2)
    before, begun = trial.rollout, trial.rollout.begun
    trial.ledger.record_look(before, verdict="promote", reason="", evidence={"as_of": START + DAY}, run_id="r")
    facts = {"policy": replace(POLICY, watch=DAY).as_dict(), "rollout": begun}
    trial.ledger.promote(
        trial.name, trial.challenger, generation=before.deployment.generation, who="t", why="w", watch=True, evidence=facts
    )
    assert trial.look().word in ("pending", "promote")
    trial.record(Label(f"r{i}", START + i + DAY, START + i + 3 * DAY, trial.name, str(label)) for i, label in enumerate(LABELS))
    sight = trial.look()
    assert sight.word == "abort"
    assert sight.seen.pairs == 600


def test_what_gateways_may_not_have_rolled_yet_is_not_looked_at(world, name, tmp_path):
    trial = Trial(world, name, tmp_path, replace(POLICY, label_delay=0.0, grace=100.0))
    trial.traffic(LABELS, RIGHT, WRONG)
    last = START + 599 + DAY + 60
    assert trial.look(datetime.fromtimestamp(last + 50, UTC)).seen.pairs == 550
    assert trial.look(datetime.fromtimestamp(last + 100, UTC)).seen.pairs == 600
