"""The decision: what is released, what is not, and how often chance alone is."""

import numpy as np
import pytest

from ratchet.errors import ParameterError
from ratchet.evaluation.bootstrap import Blocks, Interval
from ratchet.evaluation.contenders import Contender, baseline
from ratchet.evaluation.guards import Guard
from ratchet.evaluation.losses import Loss
from ratchet.evaluation.primary import choose_primary
from ratchet.evaluation.verdict import Rules, Weighing, decide, weigh

pytestmark = pytest.mark.slow

BRIER = choose_primary("binary", "brier")  # a mean is quick to resample; the ranking metrics have tests of their own
CASES = 600


def sigmoid(values: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-values)))


def match(seed: int, *, rows: int, rate: float, loss: Loss, noise: tuple[float, float] = (0.5, 0.5), **options: object) -> Weighing:
    """Two models that see the truth through noise of their own, the champion's second; equal noise is equal quality."""
    rng = np.random.default_rng(seed)
    truth = 2 * rng.normal(size=rows) + np.log(rate / (1 - rate)) - 1
    labels = (rng.random(rows) < sigmoid(truth)).astype(float)
    cut = loss.cost_false_positive / (loss.cost_false_positive + loss.cost_false_negative)
    sides = [
        Contender(name, sigmoid(truth + 2 * size * rng.normal(size=rows)), cut)
        for name, size in zip(("challenger", "champion"), noise, strict=True)
    ]
    rules = Rules(resamples=200, seed=seed)
    return weigh(labels, *sides, **({"loss": loss, "primary": BRIER, "blocks": Blocks.of(rows), "rules": rules} | options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "rate", "loss"),
    [
        (600, 0.3, Loss("brier")),
        (1_000, 0.02, Loss("log")),
        (600, 0.3, Loss("log")),
        (1_000, 0.02, Loss("brier")),
        (1_000, 0.05, Loss("cost", 10, 1)),
        (300, 0.2, Loss("cost", 3, 1)),
    ],
)
def test_of_two_equal_models_at_most_one_in_twenty_is_released(rows: int, rate: float, loss: Loss) -> None:
    released = sum(match(seed, rows=rows, rate=rate, loss=loss).verdict == "release" for seed in range(CASES))
    print(f"{rows} rows, rate {rate}, {loss.kind}: {released} of {CASES} equal challengers released")
    assert released <= 0.05 * CASES


def test_rows_that_come_in_groups_do_not_release_equal_models_more_often() -> None:
    """The same entity ten times: taken for single rows it would release one in four."""
    group = np.repeat(np.arange(80), 10)
    released = {"single rows": 0, "groups": 0}
    for seed in range(200):
        rng = np.random.default_rng(seed)
        labels = (rng.random(80) < 0.4).astype(float)[group]
        sides = [Contender(name, sigmoid(2 * labels - 1 + 1.5 * rng.normal(size=80)[group])) for name in ("challenger", "champion")]
        for name, index, count in (("single rows", np.arange(800), 800), ("groups", group, 80)):
            rules = Rules(resamples=200, seed=seed)
            found = weigh(labels, *sides, loss=Loss("brier"), primary=BRIER, blocks=Blocks(index, count, name), rules=rules)
            released[name] += found.verdict == "release"
    assert released["groups"] <= 10
    assert released["single rows"] >= 30


@pytest.mark.parametrize("loss", [Loss("brier"), Loss("log"), Loss("cost", 10, 1)])
def test_a_truly_better_model_is_released_and_a_worse_one_is_not(loss: Loss) -> None:
    better = [match(seed, rows=4_000, rate=0.2, loss=loss, noise=(0.1, 0.8)).verdict for seed in range(20)]
    worse = [match(seed, rows=4_000, rate=0.2, loss=loss, noise=(0.8, 0.1)) for seed in range(20)]
    assert better.count("release") >= 19
    assert {item.verdict for item in worse} == {"reject"}
    assert "the challenger is worse" in worse[0].reason


def test_the_same_model_again_is_rejected_with_the_reason_that_nothing_differs() -> None:
    labels, scores = np.array([0.0, 1.0] * 100), np.array([0.2, 0.7] * 100)
    sides = Contender("challenger", scores), Contender("champion", scores)
    found = weigh(labels, *sides, loss=Loss("brier"), primary=BRIER, blocks=Blocks.of(200), rules=Rules())
    assert (found.verdict, "the two lose the same on every row" in found.reason) == ("reject", True)


def test_a_gain_on_four_rows_of_a_thousand_shows_nothing() -> None:
    labels = np.array([0.0, 1.0] * 500)
    champion = labels.copy()
    champion[:4] = 1 - champion[:4]
    loss = Loss("cost", 1, 1)
    found = weigh(
        labels,
        Contender("challenger", labels),
        Contender("champion", champion),
        loss=loss,
        primary=BRIER,
        blocks=Blocks.of(1_000),
        rules=Rules(),
    )
    assert found.loss.high <= 0
    assert (found.verdict, "rests on about 4 rows" in found.reason) == ("reject", True)


@pytest.mark.parametrize("broken", ["challenger", "champion"])
def test_a_prediction_that_is_not_a_number_is_never_released(broken: str) -> None:
    labels = np.array([0.0, 1.0] * 100)
    sides = [
        Contender(name, np.where(np.arange(200) == 7, np.nan, 0.5) if name == broken else labels) for name in ("challenger", "champion")
    ]
    found = weigh(labels, *sides, loss=Loss("brier"), primary=BRIER, blocks=Blocks.of(200), rules=Rules())
    assert (found.verdict, found.reason) == ("reject", f"The {broken} gives no finite prediction for 1 of 200 rows.")


def test_a_handful_of_rows_is_never_enough() -> None:
    labels = np.array([0.0, 1.0] * 8)
    sides = Contender("challenger", labels), Contender("champion", 1 - labels)
    found = weigh(labels, *sides, loss=Loss("brier"), primary=BRIER, blocks=Blocks.of(16), rules=Rules())
    assert (found.verdict, "too few to tell a gain from chance" in found.reason) == ("reject", True)


def test_a_model_without_skill_does_not_beat_the_naive_baseline_and_one_with_skill_does() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random(3_000) < 0.1).astype(float)
    skilled, blind = np.clip(0.1 + 0.5 * labels + rng.normal(0, 0.1, 3_000), 0, 1), np.clip(0.1 + rng.normal(0, 0.05, 3_000), 0, 1)
    verdicts = {}
    for name, scores in (("skilled", skilled), ("blind", blind)):
        loss = Loss("brier")
        sides = Contender("challenger", scores), baseline("binary", labels, 2, loss)
        verdicts[name] = weigh(labels, *sides, loss=loss, primary=choose_primary("binary"), blocks=Blocks.of(3_000), rules=Rules())
    assert (verdicts["skilled"].verdict, verdicts["blind"].verdict) == ("release", "reject")
    assert "of the naive baseline" in verdicts["skilled"].reason


def test_a_slice_that_got_worse_rejects_a_model_that_is_better_on_average() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random(6_000) < 0.3).astype(float)
    rural = np.arange(6_000) < 800
    challenger = np.where(rural, 0.5, np.clip(labels * 0.9 + 0.05, 0, 1))
    champion = np.clip(labels * 0.5 + 0.25 + rng.normal(0, 0.02, 6_000), 0, 1)
    options = {"loss": Loss("brier"), "primary": BRIER, "blocks": Blocks.of(6_000), "rules": Rules()}
    sides = Contender("challenger", challenger), Contender("champion", champion)
    assert weigh(labels, *sides, **options).verdict == "release"  # type: ignore[arg-type]
    found = weigh(labels, *sides, slices={"area = rural": rural, "area = city": ~rural}, **options)  # type: ignore[arg-type]
    assert found.verdict == "reject"
    assert "worse for area = rural" in found.reason


def test_many_slices_do_not_reject_by_chance() -> None:
    """Twenty slices of two equal models, looked at 150 times: uncorrected intervals would find one in four times of ten."""
    flagged = 0
    for seed in range(150):
        place = np.random.default_rng(seed + 10_000).integers(0, 20, 1_000)
        slices = {f"slice {k}": place == k for k in range(20)}
        rules = Rules(resamples=200, seed=seed, slice_tolerance=0.0)
        found = match(seed, rows=1_000, rate=0.3, loss=Loss("brier"), slices=slices, rules=rules)
        flagged += any(item.worse for item in found.slices)
    assert flagged <= 0.05 * 150


GAIN = Interval(-0.0064, -0.0077, -0.0051)
LOSSES = (0.0124, 0.0188)


def share(span: Interval) -> Interval:
    return Interval(span.difference / LOSSES[1], span.low / LOSSES[1], span.high / LOSSES[1])


def test_each_way_to_be_rejected_is_told_with_the_figures() -> None:
    def reason(span: Interval, rules: Rules | None = None, guards: tuple[Guard, ...] = (), effective: float = 500.0) -> str:
        verdict, text = decide(LOSSES, span, share(span), guards, rules or Rules(), effective=effective, rows=9_000)
        assert verdict == "reject"
        assert text.startswith("Loss 0.0124 against 0.0188 of the champion (")
        return text

    assert "no gain that chance does not explain" in reason(Interval(-0.001, -0.003, 0.001))
    assert "no gain that chance does not explain" in reason(Interval(-0.001, -0.003, 0.0))
    assert "the challenger is worse" in reason(Interval(0.003, 0.001, 0.005))
    assert "not surely the 30.0% asked for" in reason(GAIN, Rules(minimum_gain=0.3))
    assert "better, but a guard rail is broken: the package is 900 MB" in reason(
        GAIN, guards=(Guard("size", True, "the package is 900 MB"),)
    )
    assert "the interval cannot be computed" in reason(Interval(-0.001, float("nan"), float("nan")))


def test_a_guard_rail_cannot_release_what_the_loss_does_not() -> None:
    holds = (Guard("latency", False, "fast"),)
    assert decide(LOSSES, Interval(0.003, 0.001, 0.005), share(GAIN), holds, Rules(), effective=500)[0] == "reject"
    assert decide(LOSSES, GAIN, share(GAIN), holds, Rules(), effective=500)[0] == "release"


@pytest.mark.parametrize("options", [{"confidence": 95}, {"confidence": 0.3}, {"minimum_gain": -0.1}, {"resamples": 10}])
def test_rules_that_make_no_sense_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match="give"):
        Rules(**options)  # type: ignore[arg-type]
