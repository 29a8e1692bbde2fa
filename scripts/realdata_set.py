"""What a data set of ``make realdata`` says: where it lies, what runs on it, what is measured, what is published, what is to be reached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.realdata_run import Artifacts

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Reach:
    """A figure that must hold.

    Attributes:
        figure: Its name.
        bound: What it is held to: a number, or the name of another figure.
        most: The figure must not be above the bound; else not below it.
        digits: Decimals at which both are compared, as many as the bound is written with.
    """

    figure: str
    bound: float | str
    most: bool = False
    digits: int = 3

    def holds(self, figures: Figures) -> bool:
        """Return whether it does; a figure that was not measured holds nothing.

        >>> Reach("roc_auc", 0.89).holds({"roc_auc": 0.8896}), Reach("log_loss", 0.1405, most=True, digits=4).holds({"log_loss": 0.1406})
        (True, False)
        """
        bound = self.bound if isinstance(self.bound, float) else figures.get(self.bound, float("nan"))
        found, held = (round(value, self.digits) for value in (figures.get(self.figure, float("nan")), bound))
        return found <= held if self.most else found >= held

    @property
    def told(self) -> str:
        """The reach in words."""
        bound = f"{self.bound:.{self.digits}f}" if isinstance(self.bound, float) else self.bound
        return f"{self.figure} {'≤' if self.most else '≥'} {bound}"


@dataclass(frozen=True)
class DataSet:
    """One data set.

    Attributes:
        name: What it is asked for by.
        file: In its folder.
        shown: The figures that are printed, in order.
        published: Rows to print beside ours: who, the figures by name, where they are published.
        reaches: What must hold.
        aims: What would be better still: printed with whether it came true, and never a failure.
        outcome: The word that the run must come to.
        pipeline: What runs on it.
        lies_in: Its folder beside the checkout, and its configuration among the pipeline's; empty for its name.
        seeds: Runs, one of each seed, whose mean every figure is; empty for one run as configured.
        prepare: Makes the source from the file, in a scratch folder.
        measure: Further figures, from what the run has written.
    """

    name: str
    file: str
    shown: tuple[str, ...]
    published: tuple[tuple[str, Figures, str], ...]
    reaches: tuple[Reach, ...] = ()
    aims: tuple[Reach, ...] = ()
    outcome: str = "promoted"
    pipeline: str = "delivery"
    lies_in: str = ""
    seeds: tuple[int, ...] = ()
    prepare: Callable[[Path, Path], Path] = lambda file, scratch: file
    measure: Callable[[Artifacts, Path], dict[str, float]] = lambda run, file: {}

    @property
    def folder(self) -> str:
        """Its folder beside the checkout, and the name of its configuration."""
        return self.lies_in or self.name
