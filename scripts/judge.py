"""What the judge does, measured: how often it is wrong, and how soon it is right. ``make judge`` fails when a line does not hold.

Each run calls the functions of ``ratchet.delivery.judge`` themselves on simulated evidence. A judge that looks after every block decides at
the first crossing, which is what a test's ``rejected_at`` holds, so the figures are those of the busiest schedule of looks; any other
promotes and aborts wrongly no more often. Beside it, on the same draws, the tests that are usual for this.
"""

import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from ratchet.delivery.judge import alpha_share, judge_errors, judge_latency, judge_loss, judge_metric, judge_ratio, judge_watch

NEVER = 10**9
GATES = ("loss", "latency", "errors", "ratio")
ANY = {"relative_margin": math.inf}
Outcome = dict[str, float]
Generator = np.random.Generator


@dataclass(frozen=True)
class Line:
    """A figure of a cell: the share or the median of a key over the runs, and what it must be."""

    told: str
    key: str
    statistic: str = "share"
    at_most: float | None = None
    at_least: float | None = None

    def figure(self, values: np.ndarray) -> float:
        """The share or the median."""
        return float(np.median(values) if self.statistic == "median" else np.mean(values))

    def holds(self, figure: float) -> bool:
        """Whether it is what it must be."""
        return (self.at_most is None or figure <= self.at_most) and (self.at_least is None or figure >= self.at_least)

    def row(self, cell: str, figure: float) -> str:
        """A row of the table."""
        shown = ("never" if figure >= NEVER else f"{figure:,.0f}") if self.statistic == "median" else f"{figure:.2%}"
        limit, sign = (self.at_most, "≤") if self.at_most is not None else (self.at_least, "≥")
        bound = "" if limit is None else f"{sign} {limit:,.0f}" if self.statistic == "median" else f"{sign} {limit:.3g}".replace("0.", ".")
        return f"| {cell} | {self.told} | {shown} | {bound or 'shown'} | {'yes' if self.holds(figure) else '**no**'} |"


@dataclass(frozen=True)
class Cell:
    """One kind of evidence: what is drawn and judged in a run, and the figures that follow."""

    told: str
    run: Callable[[Generator], Outcome]
    lines: tuple[Line, ...]


# Evidence


def alike(rng: Generator, n: int, worse: float, disagreement: float, both: float = 0.05, length: int = 1):
    """Losses of 0 and 1, in blocks of `length` pairs that are all alike; the challenger is worse by `worse`."""
    only_challenger, only_champion = (disagreement + worse) / 2, (disagreement - worse) / 2
    kind = np.repeat(rng.choice(4, size=n // length, p=[only_challenger, only_champion, both, 1 - disagreement - both]), length)
    return ((kind == 1) | (kind == 2)).astype(float), ((kind == 0) | (kind == 2)).astype(float), np.arange(len(kind)) // length


def bursts(rng: Generator, n: int, worse: float):
    """Better in single pairs, worse in bursts of ten alike; worse by `worse` a pair over all."""
    sizes = np.where(rng.random(n // 2) < 0.1, 10, 1)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    in_bursts, share = 0.3, 1.0 / 1.9
    in_singles = (worse - share * in_bursts) / (1 - share)
    rate = np.where(sizes == 10, in_bursts, -in_singles)
    hit = (rng.random(len(sizes)) < rate)[owner].astype(float)
    burst = (sizes == 10)[owner]
    return (hit * ~burst)[:n], (hit * burst)[:n], owner[:n]


def rare_and_large(rng: Generator, n: int, worse: float):
    """A little better nearly always, at a price of 1 in two of a hundred."""
    large = rng.random(n) < 0.02
    return np.full(n, 0.5), np.where(large, 1.0, 0.5 - (0.01 - worse) / 0.98), np.arange(n)


def flagging(rng: Generator, n: int, prevalence: float, recall: float, alarms: float, false_negative: float):
    """Labels, the champion's decisions, and the cost loss of any decisions on those labels."""
    labels = rng.random(n) < prevalence
    flags = np.where(labels, rng.random(n) < recall, rng.random(n) < alarms)
    return labels, flags, lambda given: np.where(given == labels, 0.0, np.where(labels, 1.0, 1 / false_negative))


def latencies(rng: Generator, n: int, shape: str, factor: float):
    """Two independent samples of milliseconds; the second is slower by the factor, or in its slowest part only."""
    both = 20 * np.exp({"heavy": 0.6}.get(shape, 0.25) * rng.standard_normal((2, n)))
    if shape == "pauses":
        both *= np.where(rng.random((2, n)) < 0.03, 4, 1)
    if shape == "tail":
        return both[0], np.where(rng.random(n) < 0.08, factor, 1) * both[1]
    return both[0], factor * both[1]


# What is usual for this


def mcnemar_promotes(champion: np.ndarray, challenger: np.ndarray, margin: float, every: int = 100) -> bool:
    """Whether McNemar's test (one-sided, 5%, with a margin: Wald) ever says "worse by less than the margin", looked at every 100 pairs."""
    looks = np.arange(every, len(champion) + 1, every)
    worse = challenger - champion
    mean, square = np.cumsum(worse)[looks - 1] / looks, np.cumsum(worse**2)[looks - 1] / looks
    error = np.sqrt(np.maximum(square - mean**2, 0) / looks)
    return bool(np.any((margin - mean > 1.6449 * error) & (error > 0)))


def kayenta_fails(champion: np.ndarray, challenger: np.ndarray, every: int = 100, most: int = 600) -> float:
    """Requests after which Kayenta's Mann–Whitney classifier first says "high", looked at every 100 requests; 600 at most.

    It says so when the lower end of the 98% interval of the Hodges–Lehmann shift exceeds a quarter of the shift.
    """
    for n in range(every, most + 1, every):
        shifts = np.subtract.outer(challenger[:n], champion[:n]).ravel()
        lower = max(int(n * n / 2 - 2.3263 * math.sqrt(n * n * (2 * n + 1) / 12)), 0)
        ends = np.partition(shifts, (lower, n * n // 2))
        if ends[lower] > 0.25 * abs(ends[n * n // 2]):
            return n
    return NEVER


# Runs


def at(test) -> float:
    """When a test rejected."""
    return NEVER if test.rejected_at is None else test.rejected_at


def promoted(gate) -> bool:
    """Whether all that stands in the way of a promotion was rejected at any time, whatever an abort said before."""
    return all(test.rejected for test in gate.tests[:-1])


def boundary(draw, margin: float, rng: Generator, **rules) -> Outcome:
    """A challenger that is worse by exactly the margin."""
    champion, challenger, blocks = draw(rng)
    gates = {name: judge_loss(champion, challenger, blocks, margin=margin, alpha=a, **rules) for name, a in (("5", 0.05), ("1", 0.01))}
    return {name: promoted(gate) for name, gate in gates.items()} | {"usual": mcnemar_promotes(champion, challenger, margin)}


def equal(draw, block_cap: int, rng: Generator, alpha: float = 0.05) -> Outcome:
    """A challenger that is as good."""
    champion, challenger, blocks = draw(rng)
    share = alpha_share(alpha, GATES)["loss"]
    gate = judge_loss(champion, challenger, blocks, margin=0.01, alpha=alpha, abort_alpha=share, block_cap=block_cap)
    abort, passed = at(gate.tests[-1]), max(map(at, gate.tests[:-1]))
    watch = judge_watch(champion, challenger, blocks, alpha=alpha, block_cap=block_cap)
    usual = mcnemar_promotes(champion, challenger, 0.0)
    return {"promoted": passed < abort, "pairs": passed, "aborted": abort < passed, "watch": watch.verdict == "abort", "usual": usual}


def constant(prevalence: float, recall: float, false_negative: float, told: bool, rng: Generator, n: int = 10_000) -> Outcome:
    """A challenger that never flags, and one that always does, against a champion that finds `recall` of the positives."""
    _, flags, loss = flagging(rng, n, prevalence, recall, 0.01, false_negative)
    answers = {"0": loss(np.zeros(n, bool)), "1": loss(np.ones(n, bool))}
    rules = {"margin": 0.01, "alpha": 0.05, "block_cap": 1, "constants": answers if told else None}
    judged = partial(judge_loss, loss(flags), blocks=np.arange(n), **rules)
    return {"never": promoted(judged(answers["0"])), "always": promoted(judged(answers["1"]))}


def fraud(block_cap: int, rng: Generator, n: int = 100_000) -> Outcome:
    """An equal challenger on rare positives: both find 75%, not the same ones; whether it is promoted within n pairs."""
    labels, flags, loss = flagging(rng, n, 0.0084, 0.75, 0.005, 20)
    anew = rng.random(n) < 0.2
    other = np.where(anew, np.where(labels, rng.random(n) < 0.75, rng.random(n) < 0.005), flags)
    return equal(lambda _: (loss(flags), loss(other), np.arange(n)), block_cap, rng)


def worse(draw, block_cap: int, alpha: float, rng: Generator) -> Outcome:
    """A challenger that is worse: pairs until the abort, at the alpha that the loss gate has in a rollout of four gates."""
    gate = judge_loss(*draw(rng), margin=0.01, alpha=alpha, abort_alpha=alpha_share(alpha, GATES)["loss"], block_cap=block_cap)
    return {"pairs": at(gate.tests[-1]), "promoted": promoted(gate)}


def slower(shape: str, factor: float, alpha: float, usual: bool, rng: Generator, n: int = 2_000) -> Outcome:
    """Requests until the latency gate aborts."""
    champion, challenger = latencies(rng, n, shape, factor)
    gate = judge_latency(champion, challenger, alpha=alpha_share(alpha, GATES)["latency"], tolerance=0.25, minimum=200)
    requests = min(map(at, gate.tests))
    return {"requests": requests, "aborted": requests < NEVER} | ({"usual": kayenta_fails(champion, challenger) < NEVER} if usual else {})


def failing(rate: float, alpha: float, rng: Generator, n: int = 3_000) -> Outcome:
    """Requests until the error gate aborts; the champion fails in 1% of requests."""
    gate = judge_errors(rng.random(n) < 0.01, rng.random(n) < rate, alpha=alpha_share(alpha, GATES)["errors"], tolerance=0.005, minimum=200)
    return {"requests": at(gate.tests[0]), "aborted": gate.verdict == "abort"}


def split(real: float, percent: float, rng: Generator, n: int = 10_000) -> Outcome:
    """Units until the ratio gate holds."""
    gate = judge_ratio(rng.random(n) < real / 100, percent, alpha=alpha_share(0.05, GATES)["ratio"])
    return {"units": at(gate.tests[0]), "held": gate.verdict == "hold"}


def revenue(lift: float, rng: Generator, n: int = 5_000) -> Outcome:
    """A metric with many zeros and a heavy tail, clipped at 100, on two separate arms."""
    arms = 1 + np.exp(1 + rng.standard_normal((2, n))) * (rng.random((2, n)) < 0.5)
    gate = judge_metric(
        "revenue", arms[0], arms[1] + lift, low=0, high=100, higher_is_better=True, margin=0.5, alpha=0.05, abort_alpha=0.01, minimum=200
    )
    return {"promoted": gate.tests[0].rejected, "aborted": gate.tests[1].rejected}


# The grid


def wrongly(usual: str = "") -> tuple[Line, ...]:
    """The lines of a challenger that must not be promoted."""
    lines = (Line("promoted, α .05", "5", at_most=0.05), Line("promoted, α .01", "1", at_most=0.01))
    return (*lines, Line(usual, "usual")) if usual else lines


def boundaries() -> Iterator[Cell]:
    """Challengers that are worse by exactly the margin."""
    peeking = "promoted by McNemar with the margin, 5%, a look every 100 pairs"
    for margin, disagreement, length, cap, n in (
        *((0.01, 0.02, 1, 1, 5_000), (0.01, 0.1, 1, 1, 5_000), (0.05, 0.3, 1, 1, 5_000)),
        *((0.01, 0.1, 5, 3, 10_000), (0.01, 0.1, 10, 10, 10_000), (0.05, 0.1, 30, 3, 10_000)),
    ):
        draw = partial(alike, n=n, worse=margin, disagreement=disagreement, length=length)
        blocks = "independent pairs" if length == 1 else f"blocks of {length} alike"
        told = f"worse by the margin {margin:g}, disagreement {disagreement:.0%}, {blocks}, cap {cap}, N {n:,}"
        yield Cell(told, partial(boundary, draw, margin, block_cap=cap, **ANY), wrongly(peeking))
    told = "worse by the margin .01, better in single pairs, worse in bursts of 10, cap 10, N 10,000"
    yield Cell(told, partial(boundary, partial(bursts, n=10_000, worse=0.01), 0.01, block_cap=10, **ANY), wrongly(peeking))
    told = "worse by the margin .005: a little better in 98%, much worse in 2%, N 5,000"
    yield Cell(told, partial(boundary, partial(rare_and_large, n=5_000, worse=0.005), 0.005, block_cap=1, **ANY), wrongly(peeking))
    quarter = partial(alike, n=20_000, worse=0.00252, disagreement=0.006, both=0.01 - 0.00174)
    yield Cell("worse by a quarter of a loss of .01 (margin .001), N 20,000", partial(boundary, quarter, 0.001, block_cap=1), wrongly())


def constants() -> Iterator[Cell]:
    """Challengers that always give the same answer."""
    lines = (Line("never flags: promoted", "never", at_most=0), Line("always flags: promoted", "always", at_most=0))
    for prevalence, recall, cost, told in (
        *((0.0084, 0.75, 20, False), (0.0084, 0.75, 10, False), (0.05, 0.75, 20, False), (0.05, 0.75, 10, False)),
        *((0.0084, 0.15, 20, True), (0.05, 0.75, 10, True)),
    ):
        shown = f"prevalence {prevalence:.2%}, costs {cost}:1, champion finds {recall:.0%}, N 10,000"
        told_in_words = "constant answers known" if told else "constant answers not known"
        yield Cell(f"{shown}, {told_in_words}", partial(constant, prevalence, recall, cost, told), lines)


def losses() -> Iterator[Cell]:
    """Challengers that are equal, and worse."""
    lines = (
        *(Line("promoted", "promoted", at_least=0.95), Line("pairs, median", "pairs", "median")),
        *(Line("aborted, α .05, loss gate .025", "aborted", at_most=0.025), Line("rolled back in the watch, α .05", "watch", at_most=0.05)),
    )
    usual = Line("called better by McNemar, 5%, a look every 100 pairs", "usual")
    for disagreement, length, cap, n in ((0.1, 1, 1, 30_000), (0.02, 1, 1, 5_000), (0.02, 1, 3, 10_000), (0.04, 5, 3, 60_000)):
        draw = partial(alike, n=n, worse=0.0, disagreement=disagreement, length=length)
        blocks = "independent pairs" if length == 1 else f"blocks of {length} alike"
        told = f"equal, margin .01, disagreement {disagreement:.0%}, {blocks}, cap {cap}, N {n:,}"
        yield Cell(told, partial(equal, draw, cap), (*lines, usual))
    for cap in (1, 3):
        told = f"equal, margin .01, prevalence .84%, costs 20:1, both find 75%, a fifth decided anew, cap {cap}, N 100,000"
        yield Cell(told, partial(fraud, cap), lines)
    for length, cap, bound in ((1, 1, 500), (1, 3, None), (5, 3, None)):
        draw = partial(alike, n=5_000 * length, worse=0.05, disagreement=0.1, length=length)
        lines = (Line("pairs until abort, median", "pairs", "median", at_most=bound), Line("promoted", "promoted", at_most=0.01))
        blocks = "independent pairs" if length == 1 else f"blocks of {length} alike"
        yield Cell(f"worse by .05, disagreement 10%, {blocks}, cap {cap}, α .01, loss gate .005", partial(worse, draw, cap, 0.01), lines)


def others() -> Iterator[Cell]:
    """Latency, errors, the split, a metric."""
    names = {"normal": "lognormal σ .25", "pauses": "σ .25 and 3% pauses × 4", "heavy": "lognormal σ .6"}
    for shape, name in names.items():
        high = Line("called high by Kayenta's Mann–Whitney (.98, .25), a look every 100, 600 requests", "usual")
        yield Cell(
            f"latency as the champion's, {name}",
            partial(slower, shape, 1.0, 0.05, True),
            (Line("aborted, 2,000 requests", "aborted", at_most=0.02), high),
        )
        for alpha in (0.05, 0.01):
            bound = 250 if shape == "normal" else None
            lines = (Line("requests until abort, median", "requests", "median", at_most=bound),)
            told = f"latency × 1.2, {name}, α {alpha:g}, latency gate {alpha_share(alpha, GATES)['latency']:.4f}"
            yield Cell(told, partial(slower, shape, 1.2, alpha, False), lines)
    tail = (
        Line("requests until abort, median", "requests", "median"),
        Line("called high by Kayenta's Mann–Whitney, 600 requests", "usual"),
    )
    yield Cell("latency × 3 in 8% of requests, lognormal σ .25, α .05", partial(slower, "tail", 3.0, 0.05, True), tail)
    for rate, alpha, bound in ((1.0, 0.05, 30), (1.0, 0.01, 30), (0.05, 0.05, None)):
        line = Line("requests until abort, median", "requests", "median", at_most=bound)
        yield Cell(f"errors in {rate:.0%} of requests, champion 1%, α {alpha:g}", partial(failing, rate, alpha), (line,))
    yield Cell("errors in 1%, champion 1%, N 3,000", partial(failing, 0.01, 0.05), (Line("aborted", "aborted", at_most=0.02),))
    for percent in (5, 50):
        yield Cell(f"split as set, {percent}%, 10,000 units", partial(split, percent, percent), (Line("held", "held", at_most=0.0084),))
    yield Cell("split set 50%, real 45%", partial(split, 45, 50), (Line("units until hold, median", "units", "median", at_most=3_000),))
    yield Cell("revenue, worse by the margin, N 5,000", partial(revenue, -0.5), (Line("passed", "promoted", at_most=0.05),))
    yield Cell(
        "revenue, equal, N 5,000", partial(revenue, 0.0), (Line("aborted, α .01", "aborted", at_most=0.01), Line("passed", "promoted"))
    )


def anomalies() -> Iterator[Cell]:
    """Alarms where there are no labels, and balanced costs where there are."""
    lines = (
        *(Line("promoted", "promoted", at_least=0.95), Line("pairs, median", "pairs", "median")),
        *(Line("aborted, α .05, loss gate .025", "aborted", at_most=0.025), Line("rolled back in the watch, α .05", "watch", at_most=0.05)),
    )
    draw = partial(alike, n=60_000, worse=0.0, disagreement=0.004, both=0.008)
    told = "no labels: alarms in 1% of requests as the champion's, four in five the same, margin .01, N 60,000"
    yield Cell(told, partial(equal, draw, 1), lines)
    for rate, bound in ((0.02, 5_000), (0.1, 250)):
        draw = partial(alike, n=20_000, worse=rate - 0.01, disagreement=rate - 0.006, both=0.008)
        more = (Line("pairs until abort, median", "pairs", "median", at_most=bound), Line("promoted", "promoted", at_most=0.01))
        yield Cell(f"no labels: alarms in {rate:.0%} of requests, champion 1%, α .01, loss gate .005", partial(worse, draw, 1, 0.01), more)
    one = (Line("never flags: promoted", "never", at_most=0), Line("always flags: promoted", "always", at_most=0))
    told = "anomalies 1%, costs balanced 99:1, champion finds 50%, N 10,000, constant answers known"
    yield Cell(told, partial(constant, 0.01, 0.5, 99, True), one)


CELLS = (*boundaries(), *constants(), *losses(), *others(), *anomalies())


def simulate(place: int, first: int, last: int, seed: int = 0) -> list[Outcome]:
    """Runs first to last of a cell, each with its own generator."""
    return [CELLS[place].run(np.random.default_rng([seed, place, run])) for run in range(first, last)]


def table(results: Iterable[tuple[Cell, list[Outcome]]]) -> int:
    """Print a row for each line; return how many do not hold."""
    failed = 0
    print("| evidence | figure | | bound | holds |\n|---|---|---|---|---|", flush=True)
    for cell, outcomes in results:
        for line in cell.lines:
            figure = line.figure(np.array([float(outcome[line.key]) for outcome in outcomes]))
            failed += not line.holds(figure)
            print(line.row(cell.told, figure), flush=True)
    print(f"\n{failed} lines do not hold" if failed else "\nevery line holds")
    return failed


def simulated(runs: int, piece: int = 250) -> Iterator[tuple[Cell, list[Outcome]]]:
    """All cells, simulated on all processors, in order."""
    with ProcessPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
        parts = [[pool.submit(simulate, place, i, min(i + piece, runs)) for i in range(0, runs, piece)] for place in range(len(CELLS))]
        for cell, part in zip(CELLS, parts, strict=True):
            yield cell, [outcome for future in part for outcome in future.result()]


def main(runs: int = 2_000) -> int:
    """Print the table; return 1 when a line does not hold."""
    print(f"{runs:,} runs a cell, seed 0\n")
    return 1 if table(simulated(runs)) else 0


if __name__ == "__main__":
    sys.exit(main())
