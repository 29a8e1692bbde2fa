"""Two real models on the same real rows: who is released, and what a person is told."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from ratchet.data.absent import write_absent
from ratchet.data.tables import read_dataset, write_dataset
from ratchet.errors import PackageError, ParameterError
from ratchet.evaluation import compare

Trained = Callable[..., tuple[Path, Path]]
pytestmark = pytest.mark.realdata


@pytest.fixture
def nobody(tmp_path: Path) -> Path:
    write_absent(tmp_path / "nobody", "no champion yet")
    return tmp_path / "nobody"


def test_a_better_model_is_released_and_the_other_way_round_it_is_not(adult: tuple[Path, Path], weak_adult: Path, tmp_path: Path) -> None:
    package, holdout = adult
    better, worse = compare(package, weak_adult, holdout), compare(weak_adult, package, holdout)
    assert (better.verdict, worse.verdict) == ("release", "reject")
    assert better.reason.startswith("Loss 0.")
    assert "of the champion (−" in better.reason
    assert "the challenger is worse" in worse.reason
    assert better.loss_challenger == worse.loss_champion < better.loss_champion
    better.write_html(tmp_path / "report.html")
    better.write_markdown(tmp_path / "summary.md")
    assert "Difference in loss" in (tmp_path / "report.html").read_text(encoding="utf-8")
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith("## Compare: release\n")
    assert "| average_precision |" in summary


def test_the_same_model_is_rejected_because_nothing_differs(adult: tuple[Path, Path]) -> None:
    result = compare(adult[0], adult[0], adult[1])
    assert (result.verdict, result.difference) == ("reject", 0.0)
    assert "nothing to gain" in result.reason


def test_the_same_recipe_on_another_seed_is_not_an_improvement(adult: tuple[Path, Path], trained: Trained, adults: pl.DataFrame) -> None:
    other = trained(adults, "class", seed=1)[0]
    assert compare(other, adult[0], adult[1]).verdict == "reject"


def test_the_first_model_must_beat_the_best_constant_answer(adult: tuple[Path, Path], nobody: Path) -> None:
    result = compare(adult[0], nobody, adult[1], slice_columns=["sex"])
    assert (result.verdict, result.opponent) == ("release", "naive baseline")
    assert "of the naive baseline" in result.reason


def test_a_model_of_noise_does_not_beat_it(trained: Trained, adults: pl.DataFrame, nobody: Path) -> None:
    noise = adults.with_columns(pl.col("class").shuffle(seed=3))
    result = compare(*_first(trained(noise, "class"), nobody))
    assert result.verdict == "reject"


def _first(trained: tuple[Path, Path], champion: Path) -> tuple[Path, Path, Path]:
    return trained[0], champion, trained[1]


def test_the_answer_is_the_same_every_time(adult: tuple[Path, Path], weak_adult: Path) -> None:
    first, second = (compare(adult[0], weak_adult, adult[1], slice_columns=["age"]) for _ in range(2))
    assert (first.verdict, first.reason, first.low, first.high, first.weighing.slices) == (
        *(second.verdict, second.reason, second.low, second.high, second.weighing.slices),
    )


def test_costs_change_what_is_compared(adult: tuple[Path, Path], weak_adult: Path) -> None:
    result = compare(adult[0], weak_adult, adult[1], cost_false_negative=5.0, cost_false_positive=1.0)
    assert result.loss_told == "cost of the decision (false negative 5, false positive 1) over the larger of the two"


def test_a_gain_smaller_than_asked_for_is_rejected(adult: tuple[Path, Path], weak_adult: Path) -> None:
    result = compare(adult[0], weak_adult, adult[1], minimum_gain=0.9)
    assert (result.verdict, "not surely the 90.0% asked for" in result.reason) == ("reject", True)


def test_without_labels_nothing_is_released_and_the_losses_are_the_worst(
    adult: tuple[Path, Path], weak_adult: Path, tmp_path: Path
) -> None:
    none = read_dataset(adult[1]).with_columns(pl.lit(None, dtype=pl.String).alias("class"))
    write_dataset(none, tmp_path / "none", source="test")
    result = compare(adult[0], weak_adult, tmp_path / "none")
    assert (result.verdict, result.loss_challenger, result.loss_champion) == ("reject", 1.0, 1.0)
    assert "No labelled rows" in result.reason
    result.write_html(tmp_path / "report.html")


def test_a_package_larger_than_allowed_is_rejected_though_better(adult: tuple[Path, Path], weak_adult: Path) -> None:
    result = compare(adult[0], weak_adult, adult[1], max_size_mb=0.001)
    assert (result.verdict, "at most 0.001 MB is accepted" in result.reason) == ("reject", True)


def test_models_of_different_questions_are_not_compared(adult: tuple[Path, Path], trained: Trained, adults: pl.DataFrame) -> None:
    other = trained(adults, "sex", iterations=5)[0]
    with pytest.raises(ParameterError, match="the challenger predicts 'class'"):
        compare(adult[0], other, adult[1])


def test_a_damaged_champion_is_refused_before_it_is_compared(adult: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "champion").mkdir()
    (tmp_path / "champion" / "ratchet.json").write_text("{}", encoding="utf-8")
    with pytest.raises(PackageError):
        compare(adult[0], tmp_path / "champion", adult[1])


def test_regressions_and_several_classes_are_compared_too(trained: Trained, adults: pl.DataFrame, real_data: Callable[[str], Path]) -> None:
    hours = pl.read_csv(real_data("bike_sharing/hour.csv"), try_parse_dates=True).sample(4_000, seed=0)
    unseen = ("instant", "dteday", "casual", "registered")
    strong, holdout = trained(hours, "cnt", drop=unseen)
    weak, _ = trained(hours, "cnt", drop=(*unseen, "hr"))
    assert compare(strong, weak, holdout).verdict == "release"
    strong, holdout = trained(adults, "relationship", drop=("class",))
    weak, _ = trained(adults, "relationship", drop=("class", "marital-status"))
    assert (compare(strong, weak, holdout).verdict, compare(weak, strong, holdout).verdict) == ("release", "reject")
