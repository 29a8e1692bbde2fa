"""What a check of the data may find, and how it is said.

A finding says what was met and what to do about it. Its level says what it does: a ``row`` finding sets rows aside, a ``table`` finding
makes the whole table invalid, a ``note`` is only told.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        check: Which check, e.g. "out of range".
        level: "row", "table" or "note".
        column: The column at fault; empty where it is the table.
        message: What was met, naming column and value.
        remedy: What to do.
        rows: Rows concerned.
    """

    check: str
    level: str
    column: str
    message: str
    remedy: str
    rows: int = 0

    def sentence(self) -> str:
        """Return message and remedy as one sentence.

        >>> Finding("missing column", "table", "amount", "column 'amount' is missing", "add it upstream").sentence()
        "column 'amount' is missing; add it upstream"
        """
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is too much.

    Attributes:
        max_quarantined_share: Largest share of rows set aside, 0 to 1; beyond it the table is invalid.
        min_rows: Fewest rows that are left; 0 takes the schema's.
        scale_factor: A column is in another unit when all quartiles of its absolute values moved by this factor.
        label_factor: The labels are out of balance when the share of one moved by this factor.
        max_age_days: The table is stale when its newest row is older than this at `now`; 0 for no limit.
        now: ISO time against which rows are in the future or stale; empty compares them with the other rows only.
        accept_new_columns: Keep columns that the schema does not know, and add them to it; else they are left out.
    """

    max_quarantined_share: float = 0.05
    min_rows: int = 0
    scale_factor: float = 8.0
    label_factor: float = 5.0
    max_age_days: float = 0.0
    now: str = ""
    accept_new_columns: bool = False
