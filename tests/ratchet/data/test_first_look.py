"""A look at pieces shows what a look at the whole shows, and holds no more than pieces."""

from collections import Counter
from collections.abc import Iterator

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.data.first_look import FirstLook
from ratchet.data.pieces import FramePieces, Piece


class Cut(FramePieces):
    """A table in small pieces."""

    size = 7

    def pieces(self) -> Iterator[Piece]:
        return (Piece(rows) for rows in self._frame.iter_slices(self.size))


columns = st.fixed_dictionaries(
    {
        "x": st.one_of(st.none(), st.floats(), st.integers(0, 5).map(float)),
        "n": st.one_of(st.none(), st.integers(-3, 30)),
        "s": st.sampled_from(["a", "b", None]),
        "t": st.integers(0, 50),
    }
)
DTYPES = {"x": pl.Float64, "n": pl.Int64, "s": pl.String, "t": pl.Int64}


@given(st.lists(columns, min_size=1, max_size=40), st.booleans())
def test_ends_gaps_and_counts_are_those_of_the_column(rows: list[dict[str, object]], timed: bool) -> None:
    frame = pl.DataFrame(rows, schema=DTYPES)
    look = FirstLook(Cut(frame), "t" if timed else "")
    finite = frame["x"].filter(frame["x"].is_finite())
    assert (look.columns["x"].low, look.columns["x"].high) == (finite.min(), finite.max())
    assert (look.columns["n"].low, look.columns["n"].high) == (frame["n"].min(), frame["n"].max())
    assert {name: seen.missing for name, seen in look.columns.items()} == {name: frame[name].null_count() for name in frame.columns}
    early, late = look.columns["s"].early, look.columns["s"].late
    assert early is not None
    assert late is not None
    assert early + late == Counter(frame["s"].drop_nulls())
    if not timed:
        assert early == Counter(frame["s"][: frame.height // 2].drop_nulls())


@pytest.mark.parametrize("timed", [False, True])
def test_what_grows_with_time_and_what_names_rows_is_found(timed: bool) -> None:
    height = 300
    frame = pl.DataFrame(
        {
            "t": range(height),
            "steps": [float(place // 20) for place in range(height)],
            "few": [place // 100 for place in range(height)],
            "dip": [*range(150), 148, *range(151, height)],
            "names": [place * 7919 % 1_000_003 for place in range(height)],
            "codes": [place * 7919 % 1_000_003 for place in range(height - 1)] + [0],
            "gaps": [None, *range(1, height)],
        }
    )
    rows = frame.sample(fraction=1.0, shuffle=True, seed=2) if timed else frame
    assert FirstLook(Cut(rows), "t" if timed else "").names_or_counts() == {"t", "steps", "names", "gaps"}


def test_a_fall_between_two_pieces_is_a_fall() -> None:
    frame = pl.DataFrame(
        {
            "x": [float(place % Cut.size) for place in range(14)],
            "n": [*range(10, 17), *range(16, 23)],
            "down": [*range(10, 17), *range(15, 22)],
        }
    )
    assert FirstLook(Cut(frame)).names_or_counts() == {"n"}, "to stay is not to fall"


def test_values_that_are_many_are_not_counted() -> None:
    frame = pl.DataFrame({"s": [f"name {place}" for place in range(200)], "late": ["a"] * 140 + [f"b{place}" for place in range(60)]})
    look = FirstLook(Cut(frame))
    assert look.columns["s"].early is None
    assert look.columns["late"].early == {"a": 100}
    assert look.columns["late"].late is None
