"""How to split, and what came of it; apart from the code that splits, because both ways of splitting need it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from ratchet.errors import ParameterError
from ratchet.features.spec import SplitRecord

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """How to split.

    Attributes:
        time: Column that orders the rows; empty to split by a hash.
        key: Columns that identify a row in a hash split; empty for all of ``identity``.
        identity: Columns that identify a row where there is no key: all but the target and ``given``.
        group: Column whose rows never straddle a split; empty for none.
        validation_share: Share of the rows before the holdout (in a hash split: outside it) that choose, 0 to 1.
        holdout_share: Share of all rows that judge, 0 to 1; by time, the latest.
        train_from: Leave out rows before this time.
        train_until: Train on rows before this time only.
        holdout_from: The holdout begins here, whatever its share.
        holdout_until: The holdout ends before this time.
        label_delay: How late labels arrive; what happened less than that before the holdout begins does not train.
        known_by: Column of an entity (a card) that leaves the holdout once a positive label of it is known; empty for none.
        given: Column that says which split a row is in ("train", "validation" or "holdout"); empty to decide it here. It is no feature.
    """

    time: str = ""
    key: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    group: str = ""
    validation_share: float = 0.2
    holdout_share: float = 0.2
    train_from: str = ""
    train_until: str = ""
    holdout_from: str = ""
    holdout_until: str = ""
    label_delay: str = ""
    known_by: str = ""
    given: str = ""

    def __post_init__(self) -> None:
        """Refuse shares that leave nothing, what only a time column can give, and boundaries where a column has decided."""
        for name in ("validation_share", "holdout_share"):
            if not 0 < getattr(self, name) < 1:
                raise ParameterError(f"{name} is {getattr(self, name)}; give a share between 0 and 1, like 0.2")
        needing = ("train_from", "train_until", "holdout_from", "holdout_until", "label_delay", "known_by")
        given = [name for name in needing if getattr(self, name)]
        if given and not self.time:
            raise ParameterError(f"{given[0]}={getattr(self, given[0])!r} means nothing without a time column; set time_column")
        bounds = [name for name in given if name != "label_delay"]
        if bounds and self.given:
            raise ParameterError(
                f"{bounds[0]}={getattr(self, bounds[0])!r} means nothing where split_column={self.given!r} says which row is in which "
                f"split; leave one of the two empty"
            )

    def identified_by(self, columns: Iterable[str]) -> "SplitPlan":
        """Return the plan with the columns that identify a row where there is no key."""
        return replace(self, identity=tuple(sorted(set(columns) - {self.given})))

    @property
    def record_columns(self) -> tuple[str, ...]:
        """Columns whose values place a row in a hash split."""
        return (self.group,) if self.group else self.key or self.identity


@dataclass(frozen=True, slots=True)
class Splits:
    """Places of the rows of each split, ascending (by time where there is one), and what was left out.

    Attributes:
        train: shape (rows that train,).
        validation: shape (rows that choose,).
        holdout: shape (rows that judge,).
        record: Which rows trained, for later runs.
        left_out: Number of rows in no split, by reason.
    """

    train: Places
    validation: Places
    holdout: Places
    record: SplitRecord
    left_out: Mapping[str, int] = field(default_factory=dict)
