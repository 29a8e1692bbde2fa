"""The judge: anytime-valid tests of live evidence. Pure functions of arrays; what follows from them is decided in `advance`."""

from ratchet.delivery.judge.alpha import alpha_share
from ratchet.delivery.judge.failures import judge_errors
from ratchet.delivery.judge.gates import Gate, Judgement, Test, combine
from ratchet.delivery.judge.latency import judge_latency
from ratchet.delivery.judge.loss import judge_loss, judge_watch
from ratchet.delivery.judge.metric import judge_metric
from ratchet.delivery.judge.ratio import judge_ratio

__all__ = [
    "Gate",
    "Judgement",
    "Test",
    "alpha_share",
    "combine",
    "judge_errors",
    "judge_latency",
    "judge_loss",
    "judge_metric",
    "judge_ratio",
    "judge_watch",
]
