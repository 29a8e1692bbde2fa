"""The types that the values of a whole source agree on, found while it streams by.

The first batch suggests the kinds and later ones are typed accordingly. A value that contradicts its column's kind does not stop the
reading: the rest is looked at too, and then the source is read once more with kinds that all values agree on. Each reading
settles at least one column further along `parsing.KINDS`, so there are few of them, and a second one is rare.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from ratchet.data.parsing import KINDS, agreed


class ReadAgain(Exception):
    """What came out so far is void: the source has to be read once more from its start, with what is known now."""


class Agreement:
    """The kinds of a source's columns, as far as its values were seen.

    Attributes:
        kinds: Column to kind, one of `parsing.KINDS`; empty before the first batch.
        careful: Columns in which values are written so that not every reader takes them ("NA", spaces around a number).

    >>> agreement = Agreement()
    >>> texts = [pl.DataFrame({"a": ["1"]}), pl.DataFrame({"a": ["x"]})]
    >>> try:
    ...     list(agreement.typed(iter(texts)))
    ... except ReadAgain:
    ...     print([batch["a"].to_list() for batch in agreement.typed(iter(texts))])
    [['1'], ['x']]
    """

    def __init__(self, *, commas: bool = False) -> None:
        """Begin without a kind; `commas` says whether 1.234,56 may be a number."""
        self.kinds: dict[str, str] = {}
        self.careful: set[str] = set()
        self._commas = commas

    def typed(self, batches: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Yield batches of texts with each column as the type that all its values agree on.

        Args:
            batches: Tables of texts with one list of names; a column that a reader gives as numbers already has the kind known for it.

        Raises:
            ReadAgain: at the end, when a value contradicted what was yielded before.
        """
        contradicted = False
        for batch in batches:
            first = not self.kinds
            columns = [self._column(column) for column in batch.iter_columns()]
            found = {column.name: kind for kind, column in columns}
            contradicted |= not first and found != self.kinds
            self.kinds.update(found)
            if not contradicted:
                yield pl.DataFrame([column for _, column in columns])
        if contradicted:
            raise ReadAgain

    def direct(self, names: Sequence[str]) -> list[str]:
        """Return the columns that a reader may give as numbers by itself."""
        return [name for name in names if self.kinds.get(name) in ("integer", "number") and name not in self.careful]

    def _column(self, column: pl.Series) -> tuple[str, pl.Series]:
        known = self.kinds.get(column.name, KINDS[0])
        if column.dtype != pl.String:
            return known, column
        kind, typed = agreed(column, known, commas=self._commas)
        if typed.dtype in (pl.Int64, pl.Float64) and column.name not in self.careful:
            plain = column.cast(typed.dtype, strict=False)
            if plain.null_count() > column.null_count():
                self.careful.add(column.name)
        return kind, typed
