"""What the judge is shown of a rollout: recorded traffic, as losses of pairs, latencies, errors, the split, and business metrics.

Read anew at each look and cut at the same time for everything, so that a look can be repeated and the order of what is judged never
changes. What cannot be read is no evidence: the answer is then "pending", and at the deadline the rollout is held.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ratchet.delivery.advance import Sight
from ratchet.delivery.decision import Seen
from ratchet.delivery.judge.alpha import alpha_share
from ratchet.delivery.judge.failures import judge_errors
from ratchet.delivery.judge.gates import Gate, Judgement, combine
from ratchet.delivery.judge.latency import judge_latency
from ratchet.delivery.judge.loss import judge_loss, judge_watch
from ratchet.delivery.judge.ratio import judge_ratio
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.measures import judge_measures
from ratchet.delivery.pair_losses import Judged, PairLosses, at_once
from ratchet.delivery.policy import Policy
from ratchet.delivery.rollout import Rollout
from ratchet.delivery.storage import description_of
from ratchet.errors import RatchetError
from ratchet.traffic.pairs import canary, coverage, paired
from ratchet.traffic.records import FELL_BACK
from ratchet.traffic.store import TrafficStore

Array = NDArray[np.float64]


@dataclass(frozen=True)
class TrafficEvidence:
    """Looks at recorded traffic. Call it with a rollout and a time."""

    ledger: Ledger

    def __call__(self, rollout: Rollout, as_of: datetime) -> Sight:
        """Return what is to be seen; what cannot be read is told, and is no evidence."""
        nothing = Seen(0, 0, 0, 0.0, 0)
        until = as_of.timestamp() - rollout.policy.grace
        try:
            return self._watch(rollout, until) if rollout.deployment.phase == "watch" else self._trial(rollout, until)
        except (RatchetError, OSError) as error:
            return Sight("pending", f"the evidence cannot be read: {error}", nothing, {"as_of": as_of.timestamp(), "error": str(error)})

    def _trial(self, rollout: Rollout, as_of: float) -> Sight:
        state, policy, store = rollout.deployment, rollout.policy, self._store()
        assert state.champion is not None
        assert state.challenger is not None
        champion, challenger = (Judged.of(description_of(model, self.ledger.settings)) for model in (state.champion, state.challenger))
        pairs = counting(policy, paired(store, state.name, rollout=state.begun, as_of=as_of, label_delay=policy.label_delay))
        losses = PairLosses.of(pairs, champion, challenger, policy.loss, block=block_of(policy), as_of=as_of)
        rows = both_answers(store, state.name, state.begun, as_of)
        share = alpha_share(policy.alpha, gate_names(policy))
        gates = [loss_gate(policy, losses, share), *service_gates(policy, rows, share)]
        if "ratio" in share:
            units = assigned(canary(store, state.name, rollout=state.begun).filter(pl.col("time") <= as_of))
            gates.append(judge_ratio(units["challenger"].to_numpy(), units["percent"].to_numpy().astype(float), alpha=share["ratio"]))
        gates += judge_measures(store, rollout, as_of, share)
        answered = rows.filter(pl.col("generation") == state.generation)
        requests = answered["challenger_served"].sum() if state.phase == "canary" else answered.height
        recorded = store.predictions(state.name, rollout=state.begun).filter(pl.col("role") == "champion").select(pl.len()).collect().item()
        seen = self._seen(int(requests), losses, pairs, recorded, as_of, policy)
        return told(combine(gates, last_look=False), seen, as_of)

    def _watch(self, rollout: Rollout, as_of: float) -> Sight:
        """Judge the promoted model by what came after its promotion: labels, of requests before it, too; requests where none is needed."""
        state, policy, store = rollout.deployment, rollout.policy, self._store()
        assert state.champion is not None
        assert state.previous is not None
        promoted, former = (Judged.of(description_of(model, self.ledger.settings)) for model in (state.champion, state.previous))
        reading: dict[str, Any] = {"as_of": as_of, "label_delay": policy.label_delay}
        later = counting(policy, paired(store, state.name, rollout=state.begun, other="previous", **reading))
        later = later.rename({"champion": "challenger", "challenger": "champion"})
        deciding = self.ledger.last_look(state.name, rollout.former)
        decided = float(deciding.facts.get("as_of", 0.0)) if deciding else 0.0
        before = counting(policy, paired(store, state.name, rollout=rollout.former, **reading)).filter(pl.col("available") > decided)
        pairs = pl.concat([before, later.select(before.columns)]).sort("available", "request_id", nulls_last=True)
        losses = PairLosses.of(pairs, former, promoted, policy.loss, block=block_of(policy), as_of=as_of)
        gate = judge_watch(
            losses.champion,
            losses.challenger,
            losses.blocks,
            alpha=policy.alpha,
            block_cap=policy.block_cap if policy.key else 1,
            minimum=policy.minimum_labels,
        )
        seen = self._seen(later.height, losses, pairs, pairs.height, as_of, policy)
        return told(combine([gate], last_look=False), seen, as_of)

    def _store(self) -> TrafficStore:
        return TrafficStore(self.ledger.settings.traffic_folder())

    @staticmethod
    def _seen(requests: int, losses: PairLosses, pairs: pl.DataFrame, total: int, as_of: float, policy: Policy) -> Seen:
        delay = policy.label_delay if policy.needs_labels else 0.0
        due = int((pairs["time"] + delay <= as_of).sum())
        return Seen(requests, len(losses.champion), due, coverage(pairs, as_of=as_of, label_delay=delay), total)


def counting(policy: Policy, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return pairs in the order in which they count: as their labels come, or as they were asked for where no label is needed."""
    return pairs if policy.needs_labels else at_once(pairs)


def told(judgement: Judgement, seen: Seen, as_of: float) -> Sight:
    """Return a judgement as what a look saw; says what to do where there is nothing at all."""
    reason = judgement.reason
    if not seen.total and judgement.verdict == "pending":
        reason = (
            "no request has been recorded since the rollout began: see that `ratchet serve` runs and gets traffic, or give strategy=direct"
        )
    return Sight(judgement.verdict, reason, seen, {**judgement.evidence(), "seen": asdict(seen), "as_of": as_of})


def gate_names(policy: Policy) -> list[str]:
    """Return the gates that a rollout will ever ask, fixed by its policy; without a split there is none to check."""
    split = [] if policy.strategy == "blue_green" else ["ratio"]
    return ["loss", "latency", "errors", *split, *(metric.name for metric in policy.metrics)]


def loss_gate(policy: Policy, losses: PairLosses, share: Mapping[str, float]) -> Gate:
    """Ask whether the challenger is worse by the margin, or worse at all."""
    return judge_loss(
        losses.champion,
        losses.challenger,
        losses.blocks,
        margin=policy.margin,
        alpha=policy.alpha,
        abort_alpha=share["loss"],
        relative_margin=policy.relative_margin,
        constants=losses.constants,
        block_cap=policy.block_cap if policy.key else 1,
        minimum=policy.minimum_labels,
    )


def service_gates(policy: Policy, rows: pl.DataFrame, share: Mapping[str, float]) -> list[Gate]:
    """Ask whether the challenger is slower, on canary traffic where there is one, and whether it fails more often, on all."""
    tried = rows if policy.strategy == "blue_green" else rows.filter(pl.col("phase") == "canary")
    latency = judge_latency(
        tried["champion_ms"].to_numpy(),
        np.maximum(tried["challenger_ms"].to_numpy() - policy.latency_slack_ms, 0.0),
        alpha=share["latency"],
        tolerance=policy.latency_tolerance,
        minimum=policy.minimum_requests,
    )
    errors = judge_errors(
        rows["champion_failed"].to_numpy(),
        rows["challenger_failed"].to_numpy(),
        alpha=share["errors"],
        tolerance=policy.error_tolerance,
        minimum=policy.minimum_requests,
    )
    return [latency, errors]


def block_of(policy: Policy) -> float:
    """Return the length of a window in which one unit's requests are a block, seconds; 0 where nothing says who a unit is."""
    return policy.block if policy.key else 0.0


def both_answers(store: TrafficStore, name: str, rollout: int, as_of: float) -> pl.DataFrame:
    """Return one row for each request row that both models took on until a time, in order of time.

    Returns:
        request_id, time, phase, generation, champion_ms and challenger_ms (null for the challenger's where it failed), champion_failed,
        challenger_failed, challenger_served.
    """
    rows = store.predictions(name, rollout=rollout).filter(pl.col("time") <= as_of, pl.col("phase").is_in(("shadow", "canary")))
    failed = pl.col("error") != ""

    def side(role: str) -> pl.LazyFrame:
        one = rows.filter(pl.col("role") == role).unique("request_id", keep="any")
        answers = (
            pl.when(~failed).then("latency_ms").alias(f"{role}_ms"),
            failed.alias(f"{role}_failed"),
            pl.col("served").alias(f"{role}_served"),
        )
        return one.select("request_id", *(["time", "phase", "generation"] if role == "champion" else []), *answers)

    return side("champion").join(side("challenger"), on="request_id").sort("time", "request_id").drop("champion_served").collect()


def assigned(rows: pl.DataFrame) -> pl.DataFrame:
    """Return where each sticky unit went first, in order of appearance.

    A request that the challenger was to answer and failed counts as its own: the split sent it there.

    Args:
        rows: From `ratchet.traffic.pairs.canary`.

    Returns:
        unit, challenger (boolean) and percent, one row a unit; a request without a unit is one of its own.
    """
    unit = pl.when(pl.col("unit") != "").then(pl.col("unit")).otherwise(pl.col("request_id"))
    fell_back = pl.col("error").str.ends_with(FELL_BACK)
    went = rows.filter(pl.col("served") | fell_back).with_columns(unit.alias("unit"), (pl.col("role") == "challenger").alias("own"))
    went = went.group_by("request_id").agg(
        pl.col("time", "unit", "percent").first(), (pl.col("own") & pl.col("served")).any().or_(fell_back.any()).alias("challenger")
    )
    return went.sort("time", "request_id").unique("unit", keep="first", maintain_order=True).select("unit", "challenger", "percent")
