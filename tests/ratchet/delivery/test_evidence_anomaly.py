"""What is answered of a challenger that looks for anomalies: with labels by what its alarms cost, without any by how many it raises."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from ratchet.delivery.beginning import settle_loss
from ratchet.delivery.policy import Metric, Policy
from tests.ratchet.delivery.recorded import DAY, LATER, START, Trial, canary

pytestmark = pytest.mark.slow

N = 2_000
POLICY = Policy(margin=0.05, minimum_requests=100, minimum_labels=100, label_delay=DAY, grace=0.0, latency_slack_ms=0.0)
ANOMALOUS = np.arange(N) % 10 == 0
LABELLED = pytest.mark.parametrize("anomalies", ["labelled"], indirect=True)
UNLABELLED = pytest.mark.parametrize("anomalies", ["unlabelled"], indirect=True)


def flags(found: float, alarms: float, seed: int = 1) -> np.ndarray:
    """Decisions that find a share of the anomalies and raise an alarm in a share of the other rows."""
    rng = np.random.default_rng(seed)
    return np.where(ANOMALOUS, rng.random(N) < found, rng.random(N) < alarms)


CHAMPION = flags(0.75, 0.01)
NEVER, ALWAYS, NOISY = np.zeros(N, bool), np.ones(N, bool), CHAMPION | flags(0.0, 0.1, seed=2)


def tried(anomalies, name, folder, champion, challenger, labels=None, spoiled=False, **policy) -> Trial:
    """A rollout with a settled loss, in its canary, and what both models made of the requests: errors around each one's own threshold."""
    models = anomalies.register(name, 0), anomalies.register(name, 1)
    rules = replace(POLICY, loss=settle_loss({"kind": "auto"}, *models, anomalies.settings), **policy)
    trial = Trial(anomalies, name, folder, rules)
    canary(trial)
    errors, others = np.where(champion, 1.5, 0.5), np.where(challenger, 3.0, np.nan if spoiled else 1.0)  # the thresholds are 1 and 2
    trial.traffic([None] * N if labels is None else labels, errors, others, assign=lambda i: i % 2)
    return trial


@UNLABELLED
def test_without_labels_an_equal_challenger_is_promoted_on_requests_alone(anomalies, name, tmp_path):
    trial = tried(anomalies, name, tmp_path, CHAMPION, CHAMPION)
    sight = trial.look(datetime.fromtimestamp(START + N, UTC))
    assert sight.word == "promote", sight.reason
    assert (sight.seen.pairs, sight.seen.due, sight.seen.coverage) == (N, N, 1.0), "no label is waited for, whatever its delay would be"


@UNLABELLED
def test_without_labels_a_challenger_that_raises_many_more_alarms_is_aborted(anomalies, name, tmp_path):
    for number, challenger in enumerate((ALWAYS, NOISY)):
        sight = tried(anomalies, f"{name}-{number}", tmp_path / str(number), CHAMPION, challenger).look()
        assert sight.word == "abort"
        assert sight.reason.startswith("loss")


@UNLABELLED
def test_without_labels_nothing_here_shows_that_a_silent_challenger_finds_less(anomalies, name, tmp_path):
    sight = tried(anomalies, name, tmp_path, CHAMPION, NEVER).look()
    assert sight.word == "promote", "the comparison on injected anomalies is what such a challenger must not pass"
    (loss, *_) = sight.evidence["gates"]
    assert [test["name"] for test in loss["tests"]] == ["worse by the margin", "worse by a share", "not worse"]


@UNLABELLED
def test_without_labels_each_model_raises_its_alarms_at_its_own_threshold(anomalies, name, tmp_path):
    facts = tried(anomalies, name, tmp_path, CHAMPION, NOISY).look().evidence["gates"][0]["tests"][0]["facts"]
    assert (facts["champion"], facts["challenger"]) == pytest.approx((CHAMPION.mean(), NOISY.mean()))


@UNLABELLED
def test_a_label_that_comes_all_the_same_changes_nothing(anomalies, name, tmp_path):
    trial = tried(anomalies, name, tmp_path, CHAMPION, CHAMPION, labels=ANOMALOUS.astype(int))
    early, late = trial.look(datetime.fromtimestamp(START + N, UTC)), trial.look(LATER)
    assert (early.word, early.seen.pairs, early.evidence["gates"][0]) == (late.word, late.seen.pairs, late.evidence["gates"][0])


@UNLABELLED
def test_a_challenger_whose_errors_are_no_numbers_is_aborted(anomalies, name, tmp_path):
    trial = tried(anomalies, name, tmp_path, CHAMPION, CHAMPION, spoiled=True)
    sight = trial.look()
    assert sight.word == "abort"
    assert "without a finite loss" in sight.reason


@UNLABELLED
def test_requests_of_the_last_seconds_do_not_count_yet(anomalies, name, tmp_path):
    trial = tried(anomalies, name, tmp_path, CHAMPION, CHAMPION, grace=100.0)
    assert trial.look(datetime.fromtimestamp(START + N - 1, UTC)).seen.pairs == N - 100


@UNLABELLED
def test_a_block_that_is_open_is_not_judged_and_the_reason_says_so(anomalies, name, tmp_path):
    sight = tried(anomalies, name, tmp_path, CHAMPION, CHAMPION, key="card", block=DAY).look(datetime.fromtimestamp(START + N, UTC))
    assert (sight.word, sight.seen.pairs) == ("pending", 0)
    assert "its block must be closed" in sight.reason


@UNLABELLED
def test_a_promoted_model_that_turns_out_noisy_is_caught_in_its_watch_by_requests_after_the_decision(anomalies, name, tmp_path):
    trial = tried(anomalies, name, tmp_path, CHAMPION, NOISY)
    before = trial.rollout
    trial.ledger.record_look(before, verdict="promote", reason="", evidence={"as_of": START + N / 2 - 1}, run_id="r")
    facts = {"policy": replace(before.policy, watch=DAY).as_dict(), "rollout": before.begun}
    by = {"generation": before.deployment.generation, "who": "t", "why": "w"}
    trial.ledger.promote(trial.name, trial.challenger, watch=True, evidence=facts, **by)
    sight = trial.look()
    assert sight.word == "abort"
    assert sight.evidence["gates"][0]["tests"][0]["n"] == N / 2, "what decided the promotion is not judged again"


@UNLABELLED
def test_a_business_metric_needs_no_label_either(anomalies, name, tmp_path):
    stopped = Metric("stopped", "CASE WHEN prediction > 0.9 THEN price ELSE 0 END", high=20.0, higher_is_better=False)
    trial = tried(anomalies, name, tmp_path, NEVER, NEVER, metrics=(stopped,), block=60.0)
    gates = {gate["name"]: gate for gate in trial.look().evidence["gates"]}
    assert gates["stopped"]["verdict"] == "abort", "the challenger's errors are around its own threshold, which is twice as high"


@LABELLED
@pytest.mark.parametrize("challenger", [NEVER, ALWAYS], ids=["never flags", "always flags"])
@pytest.mark.parametrize("champion", [CHAMPION, NEVER], ids=["a good champion", "a silent champion"])
def test_with_labels_a_challenger_that_always_gives_one_answer_is_never_promoted(anomalies, name, tmp_path, champion, challenger):
    sight = tried(anomalies, name, tmp_path, champion, challenger, ANOMALOUS.astype(int)).look()
    assert sight.word in ("pending", "abort"), sight.reason
    assert sight.word == "pending" or champion is CHAMPION


@LABELLED
def test_with_labels_a_challenger_as_good_as_its_champion_is_promoted_and_a_noisy_one_is_aborted(anomalies, name, tmp_path):
    labels = ANOMALOUS.astype(int)
    assert tried(anomalies, name, tmp_path / "equal", CHAMPION, CHAMPION, labels).look().word == "promote"
    noisy = CHAMPION | flags(0.0, 0.6, seed=2)
    assert tried(anomalies, f"{name}-2", tmp_path / "noisy", CHAMPION, noisy, labels).look().word == "abort"


@LABELLED
def test_with_labels_a_request_waits_for_its_label(anomalies, name, tmp_path):
    trial = tried(anomalies, name, tmp_path, CHAMPION, CHAMPION, ANOMALOUS.astype(int))
    sight = trial.look(datetime.fromtimestamp(START + N, UTC))
    assert (sight.word, sight.seen.pairs) == ("pending", 0)
