"""Rows come batch by batch, in order and in bounded pieces, and the line at fault is named."""

from pathlib import Path

import polars as pl
import pytest

from ratchet.errors import SourceError
from ratchet.sources.records import Layout
from ratchet.sources.strict_records import strict_records

LAYOUT = Layout(("id", "note"), ",", 0, 1, line=10)


def rows(path: Path, **options: int) -> list[pl.DataFrame]:
    return list(strict_records(path, LAYOUT, "notes.csv", header=True, **options))


def test_quoted_fields_come_as_they_are_in_order_and_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "notes[1].csv"
    path.write_text("id,note\n" + "".join(f'{number},"a ""b"", c\nd"\n' for number in range(20_000)))
    batches = rows(path, size=50_000)
    assert len(batches) >= 4
    assert max(batch.height for batch in batches) <= 6_000
    table = pl.concat(batches)
    assert table["id"].cast(pl.Int64).to_list() == list(range(20_000))
    assert set(table["note"]) == {'a "b", c\nd'}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('id,note\n1,"a"\n2\n', "line 3 has 1 fields where the header has 2 .*repair or remove"),
        ('id,note\n1,"a"\n2,b,c\n', "line 3 has 3 fields where the header has 2"),
        ('id,note\n1,"a\n', "line 2 has a quote that is not closed"),
        ('id,note\n1,"a"b\n', "text after a closing quote|quote that is not closed"),
        ("id,note\n1,a\r\n2,b\n", "mixes kinds of line end"),
        ('id,note\n1,"' + "x" * (9 << 20) + '"\n', "is longer than 8,388,608 bytes"),
    ],
    ids=["short", "long", "open quote", "text after quote", "mixed ends", "endless"],
)
def test_what_is_wrong_is_named_by_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_bytes(text.encode())
    with pytest.raises(SourceError, match=message):
        rows(path)
