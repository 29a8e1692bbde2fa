"""Whether stacking on an autoencoder helps on card fraud, on eight weeks: one week has some 400 frauds and decides little.

    python -m scripts.realdata_weeks

Each week is ``make realdata DATA=fraud_stacked``, trained and tested some weeks earlier, with one seed; all end before the handbook's own
training begins. About six minutes.
"""

import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from ratchet.catalog import pipeline_path
from ratchet.submit.parameters import CompiledPipeline
from scripts.realdata import DATA, deliver, figures_of
from scripts.realdata_sets import DATA_SETS

FIRST, WEEKS = date(2018, 5, 16), 8
FIGURES = ("average_precision", "roc_auc", "card_precision_100")
ALONE = "_alone"


def weeks() -> Iterator[dict[str, str]]:
    """Return the dates of each week as parameters of the pipeline: train for a week, wait a week for its labels, test on the next.

    >>> next(weeks())
    {'train_from': '2018-05-16', 'train_until': '2018-05-23', 'holdout_from': '2018-05-30', 'holdout_until': '2018-06-06'}
    """
    names = {"train_from": 0, "train_until": 1, "holdout_from": 2, "holdout_until": 3}
    for place in range(WEEKS):
        yield {name: (FIRST + timedelta(weeks=place + later)).isoformat() for name, later in names.items()}


def table(measured: Sequence[Mapping[str, float]]) -> list[str]:
    """Return the rows of a table of means, and of the mean difference with its standard error.

    Args:
        measured: The figures of each week, at least two, stacked and alone.
    """
    made = ["| | boosting alone | stacked | difference | weeks better |", "|---|---|---|---|---|"]
    for name in FIGURES:
        pairs = [(one[name + ALONE], one[name]) for one in measured]
        differences = [stacked - alone for alone, stacked in pairs]
        error = statistics.stdev(differences) / len(differences) ** 0.5
        alone, stacked = (statistics.mean(side) for side in zip(*pairs, strict=True))
        better = sum(difference > 0 for difference in differences)
        told = f"{statistics.mean(differences):+.4f} ± {error:.4f}"
        made.append(f"| {name} | {alone:.4f} | {stacked:.4f} | {told} | {better} of {len(differences)} |")
    return made


def main() -> None:
    """Run each week and print."""
    data = next(one for one in DATA_SETS if one.name == "fraud_stacked")
    pipeline = CompiledPipeline.read(pipeline_path(data.pipeline))
    measured = []
    with tempfile.TemporaryDirectory(prefix="ratchet-realdata-") as scratch:
        for dates in weeks():
            run = deliver(data, pipeline, DATA, Path(scratch) / dates["train_from"], seed=0, **dates)
            measured.append(figures_of(data, run, DATA))
            told = ", ".join(f"{name} {measured[-1][name]:.4f} (alone {measured[-1][name + ALONE]:.4f})" for name in FIGURES)
            print(f"trained from {dates['train_from']}: {run.outcome}; {told}", flush=True)
    print("\n" + "\n".join(table(measured)))


if __name__ == "__main__":
    main()
