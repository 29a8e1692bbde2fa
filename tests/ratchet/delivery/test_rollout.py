"""A rollout as the chain tells it: when it must have come to a word, and which it is."""

from datetime import UTC, datetime, timedelta

from ratchet.delivery.deployment import Deployment, ModelRef
from ratchet.delivery.policy import Policy
from ratchet.delivery.rollout import Look, Rollout

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
OLD, NEW = ModelRef("1", "sha256:aa", "/1"), ModelRef("2", "sha256:bb", "/2")


def test_a_trial_ends_at_its_deadline_and_a_watch_by_its_own_length():
    policy = Policy(deadline=7200.0, watch=600.0)
    trial = Rollout(Deployment("fraud", OLD, None, NEW, "shadow", 0, 2, 1, 2), policy, NOW, NOW, "r", NOW)
    watch = Rollout(Deployment("fraud", NEW, OLD, None, "watch", 0, 3, 3, 3), policy, NOW, NOW, "r", None, 2)
    assert (trial.deadline, watch.deadline) == (NOW + timedelta(hours=2), NOW + timedelta(minutes=10))
    assert (trial.begun, watch.begun) == (2, 3)


def test_a_look_gives_its_evidence_back():
    assert Look("fraud", 2, 1, "", "r", "shadow", 0, "pending", "few", '{"pairs":3}').facts == {"pairs": 3}
