from collections import Counter

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from ratchet.models.autoencoder.vocabulary import Vocabulary

TEXTS = st.lists(st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f", "g", None])), max_size=6)


def counted(batches: list[list[str | None]], held: int) -> Vocabulary:
    vocabulary = Vocabulary(held)
    for batch in batches:
        vocabulary.add(pl.Series(batch, dtype=pl.String))
    return vocabulary


@given(TEXTS, st.integers(1, 9))
def test_the_most_frequent_come_first_and_ties_in_the_order_of_the_alphabet(batches: list[list[str | None]], most: int) -> None:
    counts = Counter(value for batch in batches for value in batch if value is not None)
    expected = sorted(counts, key=lambda value: (-counts[value], value))[:most]
    assert counted(batches, 100).most_frequent(most) == tuple(expected)


@given(TEXTS, st.integers(1, 6))
def test_in_bounded_memory_no_count_is_too_high_or_by_more_than_rows_over_held_too_low(batches: list[list[str | None]], held: int) -> None:
    counts = Counter(value for batch in batches for value in batch if value is not None)
    found = counted(batches, held).counts
    assert len(found) <= held
    for value, count in counts.items():
        assert count - counts.total() / held <= found[value] <= count


def test_a_column_of_ids_does_not_push_out_what_is_frequent() -> None:
    batches = [[f"id {place}-{row}" for row in range(50)] + ["usual"] * 5 for place in range(40)]
    vocabulary = counted(batches, 60)  # type: ignore[arg-type]
    assert len(vocabulary.counts) <= 60
    assert vocabulary.most_frequent(1) == ("usual",)
