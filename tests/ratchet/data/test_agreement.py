"""What streams by in pieces is typed exactly as if it had been seen whole."""

import random
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ratchet.data.agreement import Agreement, ReadAgain
from ratchet.data.parsing import KINDS, parse_texts
from ratchet.sources.delimited import DelimitedSource, read_delimited

WORDS = [
    *(
        "1",
        "-7",
        "+5",
        "0",
        "00",
        "007",
        "-08",
        "2.5",
        ".5",
        "5.",
        "1e3",
        "-0.0",
        "nan",
        "inf",
        "12345678901234567890",
        "999999999999999999",
    ),
    *(
        "123456789012345678.5",
        "true",
        "False",
        "TRUE",
        "2024-03-01",
        "2024-03-01 12:30",
        "2024-03-01T12:30:00Z",
        "2024/03/02",
        "NA",
        "null",
    ),
    *(" 3", "4 ", " NA ", "x", "", '="00123"', "=1+2", "1.234", "1.234,56", "2,5", "ø", "9223372036854775807", "9223372036854775808"),
]
MOSTLY = [["1", "2", "-30"], ["1", "2.5"], ["true", "false"], ["2024-03-01", "2024-03-02"], ["NA", ""], ["a", "b"], ["1,5", "2"]]


def read(source: DelimitedSource) -> tuple[pl.DataFrame, int]:
    for times in range(1, len(KINDS) + 3):
        try:
            return pl.concat(source.batches()), times
        except ReadAgain:
            continue
    raise AssertionError("it never settles")


@st.composite
def columns(draw: st.DrawFn) -> list[list[str]]:
    height = draw(st.integers(1, 40))
    table = []
    for _ in range(draw(st.integers(2, 4))):
        usual = draw(st.sampled_from(MOSTLY))
        column = [draw(st.sampled_from(usual)) for _ in range(height)]
        for _ in range(draw(st.integers(0, 2))):
            column[draw(st.integers(0, height - 1))] = draw(st.sampled_from(WORDS))
        table.append(column)
    return table


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(columns(), st.sampled_from([";", "|"]), st.integers(8, 200), st.booleans())
@example([["1", "2"], ["a", "b"]], ";", 8, True)
def test_tiny_pieces_make_the_table_that_whole_columns_make(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], delimiter: str, chunk: int, quoted: bool
) -> None:
    path = tmp_path_factory.mktemp("pieces") / "table.csv"
    names = [f"c{place}" for place in range(len(table))]
    quote = '"{}"'.format if quoted else str
    rows = [delimiter.join(quote(cell.replace('"', '""') if quoted else cell) for cell in row) for row in zip(*table, strict=True)]
    path.write_text("\n".join([delimiter.join(names), *rows]) + "\n")
    frame, _ = read(DelimitedSource(path, chunk=max(chunk, max(map(len, rows)) * 2 + 2)))
    texts = pl.DataFrame(
        {name: [cell or None for cell in column] for name, column in zip(names, table, strict=True)}, schema=dict.fromkeys(names, pl.String)
    )
    agreement = Agreement(commas=delimiter == ";")
    whole = next(agreement.typed(iter([texts])))
    assert frame.equals(whole, null_equal=True)
    assert frame.schema == whole.schema
    if delimiter == "|":
        assert whole.equals(parse_texts(texts), null_equal=True)


def test_a_contradiction_at_the_end_costs_one_more_reading(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    rows = [[str(number), str(number), "NA", str(number), "2024-03-01"] for number in range(3_000)]
    rows[-1] = ["2.5", "007", "7", "", "soon"]
    path.write_text("a,b,c,d,e\n" + "".join(",".join(row) + "\n" for row in rows))
    frame, times = read(DelimitedSource(path, chunk=4_000))
    assert times == 2
    assert frame.dtypes == [pl.Float64, pl.String, pl.Int64, pl.Int64, pl.String]
    assert frame.equals(read_delimited(path))
    assert frame["b"][7] == "7", "texts are the texts that were written"
    assert frame["c"].null_count() == 2_999


def test_what_streams_out_before_a_contradiction_is_called_void() -> None:
    def batches() -> Iterator[pl.DataFrame]:
        yield pl.DataFrame({"a": ["1"]})
        yield pl.DataFrame({"a": ["x"]})
        yield pl.DataFrame({"a": ["2"]})

    agreement, out = Agreement(), []
    with pytest.raises(ReadAgain):
        out.extend(agreement.typed(batches()))
    assert [frame["a"].to_list() for frame in out] == [[1]]
    assert agreement.kinds == {"a": "string"}


def test_every_column_settles_in_few_readings() -> None:
    """The worst order of values: each batch contradicts the kind before it."""
    chain = ["NA", "1", "2.5", "true", "2024-03-01", "x"]
    agreement = Agreement()
    with pytest.raises(ReadAgain):
        list(agreement.typed(pl.DataFrame({"a": [text]}) for text in chain))
    frame = pl.concat(agreement.typed(pl.DataFrame({"a": [text]}) for text in chain))
    assert frame["a"].to_list() == chain


@pytest.mark.parametrize("seed", range(5))
def test_numbers_with_leading_zeros_are_found_in_any_column_and_chunk(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    rows = [[f"{chance.random():.6f}", str(chance.randrange(1000)), f"-0.{chance.randrange(1000):03}"] for _ in range(500)]
    place, row = chance.randrange(3), chance.randrange(500)
    rows[row][place] = chance.choice(["00", "-007", "+01.5", " 05"])
    path = tmp_path / "codes.csv"
    path.write_text("a,b,c\n" + "".join(",".join(row) + "\n" for row in rows))
    frame, _ = read(DelimitedSource(path, chunk=700))
    assert [dtype == pl.String for dtype in frame.dtypes] == [column == place for column in range(3)]
