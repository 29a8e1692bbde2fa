"""The most frequent values of a text column that passes by in batches, in bounded memory.

A column may hold a new value in every row (an id that nobody dropped). So when more than a stated number of values are held, the rarest
are forgotten, by a rule that keeps what was counted of the frequent ones within a known distance of the truth.
"""

from collections import Counter

import polars as pl

HELD = 100_000  # values counted at a time


class Vocabulary:
    """Values and how often they were seen.

    >>> vocabulary = Vocabulary()
    >>> vocabulary.add(pl.Series(["tea", "milk", "tea", None]))
    >>> vocabulary.most_frequent(1)
    ('tea',)
    """

    def __init__(self, held: int = HELD) -> None:
        """Begin with no values; as long as no more than ``held`` are seen, counts are exact."""
        self.counts: Counter[str] = Counter()
        self.held = held

    def add(self, values: pl.Series) -> None:
        """Count a batch; what is missing does not count.

        Beyond ``held`` values the count of the first that does not fit is taken off all, and what is then not above 0 is forgotten. After
        n rows a count is too low by at most n / held, and never too high.

        Source:
            Agarwal et al., "Mergeable summaries", PODS (2012): the summary of Misra and Gries, merged.
        """
        counted = values.drop_nulls().rename("value").value_counts(name="rows")
        self.counts.update(dict(counted.iter_rows()))
        if len(self.counts) > self.held:
            excess = self.counts.most_common(self.held + 1)[-1][1]
            self.counts = Counter({value: rows - excess for value, rows in self.counts.items() if rows > excess})

    def most_frequent(self, most: int) -> tuple[str, ...]:
        """Return at most so many values, the most frequent first; of equally frequent ones in the order of the alphabet."""
        ranked = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        return tuple(value for value, _ in ranked[:most])
