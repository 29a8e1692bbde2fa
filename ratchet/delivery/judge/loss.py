"""The loss gate: is the challenger worse by too much, or worse at all, on the same requests with the same labels?

Two directions, each a bet on the paired difference d = challenger's loss - champion's, block by block:

- Towards a promotion every one of these nulls must be rejected, each at the full alpha:
  "worse by at least the margin"; "worse by at least a quarter of the champion's own loss" (`relative_margin`); and, where their losses are
  given, "no better than always giving the answer k". The second is there because a margin fixed in advance can exceed all that there is
  to lose: at 0.84% fraud a model that never flags has a loss of 0.0084, which is within 0.01 of the best. The third settles it for good: a
  model that never flags cannot be better than never flagging.
- Towards an abort: "not worse".

What exactly is tested. With blocks b = 1, 2, … in order, the null says: given all earlier blocks, the weighted sum of a block's
excesses is on average at least 0 (at most 0 for the abort). The weights (`ratchet.delivery.judge.blocks`) depend on block sizes alone: the
same for every pair, but lower in a block larger than `block_cap`. Nothing is assumed of what happens inside a block. Between blocks no
independence is needed, only that this holds at each block given its past. It is valid at every look because blocks keep their order: the
caller passes closed blocks only, and never adds a pair to a block that was passed before.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ratchet.delivery.judge.alpha import check_alpha
from ratchet.delivery.judge.betting import wealth_path
from ratchet.delivery.judge.blocks import Blocks
from ratchet.delivery.judge.gates import Gate, Test
from ratchet.errors import JudgeError

Array = NDArray[np.float64]
# A share of no loss is nothing: so much of the margin is granted beside it, or two models without a fault would wait for ever.
FLOOR = 0.02


@dataclass(frozen=True)
class Evidence:
    """Paired losses that count, grouped into blocks.

    Attributes:
        champion: shape (pairs,), in [0, 1].
        challenger: shape (pairs,), in [0, 1]; 1 where it gave no number.
        blocks: Their blocks.
        dropped: Pairs that do not count because the champion's loss is no number.
        failed: Pairs where the challenger's is not; they count as 1.
        kept: shape (given pairs,), which of them count.
    """

    champion: Array
    challenger: Array
    blocks: Blocks
    dropped: int
    failed: int
    kept: NDArray[np.bool_]

    @classmethod
    def of(cls, champion: ArrayLike, challenger: ArrayLike, blocks: ArrayLike, block_cap: int) -> "Evidence":
        """Check losses and group them.

        Raises:
            JudgeError: the lengths differ, or a finite loss is outside [0, 1].
        """
        first, second, ids = np.asarray(champion, np.float64), np.asarray(challenger, np.float64), np.asarray(blocks)
        if not first.ndim == second.ndim == ids.ndim == 1 or not len(first) == len(second) == len(ids):
            raise JudgeError(f"losses of shape {first.shape} and {second.shape}, blocks {ids.shape}: give one of each for every pair")
        for who, losses in (("champion", first), ("challenger", second)):
            wrong = np.isfinite(losses) & ((losses < 0) | (losses > 1))
            if wrong.any():
                raise JudgeError(
                    f"the {who}'s loss {losses[wrong][0]:g} is outside [0, 1]; use a loss of ratchet.evaluation.losses, or clip"
                )
        kept = np.isfinite(first)
        failed = int((~np.isfinite(second[kept])).sum())
        second = np.where(np.isfinite(second), second, 1.0)
        return cls(first[kept], second[kept], Blocks.of(ids[kept], block_cap), int((~kept).sum()), failed, kept)

    def test(self, name: str, hypothesis: str, alpha: float, gains: Array, largest_loss: float = 1.0) -> Test:
        """Bet that the gains of pairs, each at least -largest_loss, are above 0 on average."""
        path = wealth_path(self.blocks.steps(gains), largest_loss)
        return Test.of(name, hypothesis, alpha, path, self.blocks.counts, self.facts())

    def facts(self) -> Mapping[str, float]:
        """Return the means of both losses, over all pairs that count."""
        if not len(self.champion):
            return {}
        first, second = float(self.champion.mean()), float(self.challenger.mean())
        return {"champion": first, "challenger": second, "difference": second - first, "blocks": float(len(self.blocks.sizes))}

    def told(self) -> str:
        """What was seen, in words."""
        facts = self.facts()
        if not facts:
            return "no pair counts yet: its block must be closed, and its label known where the loss needs one" + self._aside()
        way = "higher" if facts["difference"] > 0 else "lower"
        size = f"{abs(facts['difference']):.4g} {way}" if facts["difference"] else "the same"
        seen = f"over {len(self.champion):,} pairs in {len(self.blocks.sizes):,} blocks the loss is {size}"
        return f"{seen} ({facts['challenger']:.4g} against {facts['champion']:.4g}){self._aside()}"

    def _aside(self) -> str:
        notes = []
        if self.failed:
            notes.append(f"{self.failed:,} without a finite loss of the challenger count as 1")
        if self.dropped:
            notes.append(f"{self.dropped:,} without a finite loss of the champion do not count")
        return f" [{'; '.join(notes)}]" if notes else ""


def judge_loss(
    champion: ArrayLike,
    challenger: ArrayLike,
    blocks: ArrayLike,
    *,
    margin: float,
    alpha: float,
    abort_alpha: float | None = None,
    relative_margin: float = 0.25,
    constants: Mapping[str, ArrayLike] | None = None,
    block_cap: int = 3,
    minimum: int = 1,
) -> Gate:
    """Judge a challenger by its loss on the requests that the champion answered, too.

    Args:
        champion: shape (pairs,), loss of each pair in [0, 1], in order of availability. Not finite: the pair does not count.
        challenger: shape (pairs,), likewise. Not finite: counts as 1, the worst.
        blocks: shape (pairs,), whole numbers: pairs of one unit in one window of time. Only closed blocks.
        margin: By how much the challenger's mean loss may be larger, in [0, 1).
        alpha: Probability of a pass for a challenger that is worse by the margin.
        abort_alpha: Probability of an abort for one that is not worse; `alpha_share` gives it. As alpha by default.
        relative_margin: Share of the champion's mean loss by which the challenger's may be larger, too; infinity for any.
        constants: Losses of constant answers on the same pairs, by answer: {"0": shape (pairs,), "1": …}. A pass then needs evidence that
            the challenger is better than each.
        block_cap: Pairs that a block may count for; see `ratchet.delivery.judge.blocks`.
        minimum: Pairs before a pass.

    Returns:
        "abort" where "not worse" is rejected, also if the margin holds; "pass" where all else is; "wait" otherwise.

    Raises:
        JudgeError: lengths differ, a loss is outside [0, 1], or a rule is none.

    >>> better = judge_loss([0.5] * 400, [0.3] * 400, range(400), margin=0.01, alpha=0.05, block_cap=1)
    >>> better.verdict, better.tests[0].rejected_at
    ('pass', 28)
    >>> judge_loss([], [], [], margin=0.01, alpha=0.05).verdict
    'wait'
    """
    abort_alpha = alpha if abort_alpha is None else abort_alpha
    check_alpha(alpha, abort_alpha)
    if not 0 <= margin < 1 or not relative_margin >= 0:
        raise JudgeError(f"margin {margin!r}, relative margin {relative_margin!r}: give e.g. 0.01, in [0, 1), and 0.25, at least 0")
    seen = Evidence.of(champion, challenger, blocks, block_cap)
    towards = _towards_promotion(seen, margin, relative_margin, alpha)
    towards += [_against_constant(seen, answer, losses, alpha) for answer, losses in (constants or {}).items()]
    worse = seen.test("not worse", "the challenger's loss is not higher than the champion's", abort_alpha, seen.challenger - seen.champion)
    tests = (*towards, worse)
    if worse.rejected:
        return Gate("loss", "abort", f"{seen.told()}; 'not worse' is refuted at {abort_alpha:.3g} after {worse.rejected_at:,} pairs", tests)
    still = [test for test in towards if not test.rejected]
    if still:
        least = min(still, key=_progress)
        state = f"'{least.name}' is not ruled out yet: evidence {10 ** _last(least):.3g} of {1 / least.alpha:.3g}"
        return Gate("loss", "wait", f"{seen.told()}; {state}", tests)
    if worse.n < minimum:
        return Gate("loss", "wait", f"{seen.told()}; at least {minimum:,} pairs are asked for", tests)
    names = ", ".join(f"'{test.name}'" for test in towards)
    at = max(test.rejected_at or 0 for test in towards)
    return Gate("loss", "pass", f"{seen.told()}; ruled out at {alpha:.3g} after {at:,} pairs: {names}", tests)


def judge_watch(
    former: ArrayLike, promoted: ArrayLike, blocks: ArrayLike, *, alpha: float, block_cap: int = 3, minimum: int = 1, name: str = "watch"
) -> Gate:
    """Watch a promoted model against the one before it, on labels that come later. Only "not worse" can be rejected.

    Args:
        former: shape (pairs,), losses of the former champion, as in `judge_loss`.
        promoted: shape (pairs,), losses of the model that was promoted.
        blocks: shape (pairs,), likewise; pairs since the promotion only, because those before it decided the promotion.
        alpha: Probability of an abort, a rollback, for a model that is not worse.
        block_cap: Pairs that a block may count for.
        minimum: Pairs before a pass.
        name: Of the gate.

    Returns:
        "abort"; "pass" from the minimum on, which says that nothing speaks against it so far; "wait" before.

    Raises:
        JudgeError: as `judge_loss`.

    >>> judge_watch([0.1] * 99, [0.9] * 99, range(99), alpha=0.01).verdict
    'abort'
    """
    check_alpha(alpha)
    seen = Evidence.of(former, promoted, blocks, block_cap)
    worse = seen.test("not worse", "the promoted model's loss is not higher than the former's", alpha, seen.challenger - seen.champion)
    if worse.rejected:
        return Gate(name, "abort", f"{seen.told()}; 'not worse' is refuted at {alpha:.3g} after {worse.rejected_at:,} pairs", (worse,))
    if worse.n < max(minimum, 1):
        return Gate(name, "wait", f"{seen.told()}; at least {max(minimum, 1):,} pairs are asked for", (worse,))
    return Gate(name, "pass", f"{seen.told()}; nothing speaks against it", (worse,))


def _towards_promotion(seen: Evidence, margin: float, relative_margin: float, alpha: float) -> list[Test]:
    excess = seen.challenger - seen.champion
    absolute = seen.test(
        "worse by the margin", f"the challenger's loss is higher by {margin:g} or more", alpha, margin - excess, largest_loss=1 - margin
    )
    if np.isinf(relative_margin):
        return [absolute]
    floor = FLOOR * margin
    granted = (1 + relative_margin) * seen.champion + floor - seen.challenger
    hypothesis = f"the challenger's loss is higher than the champion's times {1 + relative_margin:g}, and {floor:g}"
    return [absolute, seen.test("worse by a share", hypothesis, alpha, granted, largest_loss=1 - floor)]


def _against_constant(seen: Evidence, answer: str, losses: ArrayLike, alpha: float) -> Test:
    constant = np.asarray(losses, np.float64)
    if constant.shape != seen.kept.shape or not ((constant >= 0) & (constant <= 1)).all():
        raise JudgeError(f"losses of the constant answer {answer!r}, shape {constant.shape}: give one in [0, 1] for each of the pairs")
    hypothesis = f"the challenger's loss is not lower than that of always answering {answer}"
    return seen.test(f"no better than always {answer}", hypothesis, alpha, constant[seen.kept] - seen.challenger)


def _last(test: Test) -> float:
    return test.wealth[-1] if test.wealth else 0.0


def _progress(test: Test) -> float:
    return _last(test) / test.needed
