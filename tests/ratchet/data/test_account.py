"""What a Dataset says of itself does not depend on the parts in which its rows came."""

from datetime import datetime

import polars as pl
import pytest

from ratchet.data.account import Account
from ratchet.data.digests import content_digest, schema_digest
from ratchet.errors import SchemaError

FRAME = pl.DataFrame({"id": [3, 1, 2], "time": [None, datetime(2024, 3, 2), datetime(2024, 3, 1)]})


@pytest.mark.parametrize("size", [1, 2, 3])
def test_parts_add_up_to_the_whole(size: int) -> None:
    account = Account("time")
    for part in FRAME.iter_slices(size):
        account.add(part)
    info = account.info("a test")
    assert (info.rows, info.columns) == (3, ("id", "time"))
    assert (info.content_digest, info.schema_digest) == (content_digest(FRAME), schema_digest(FRAME.schema))
    assert (info.time_min, info.time_max) == ("2024-03-01T00:00:00", "2024-03-02T00:00:00")


def test_notes_are_told_where_there_are_some() -> None:
    account = Account()
    account.add(FRAME)
    info = account.info("a test")
    assert "notes" not in info.metadata()
    assert all(isinstance(value, str) for value in info.metadata().values())


def test_parts_that_differ_and_no_part_at_all_are_refused() -> None:
    account = Account()
    with pytest.raises(SchemaError, match="no part was given"):
        account.info("a test")
    account.add(FRAME)
    with pytest.raises(SchemaError, match="a part has columns"):
        account.add(FRAME.drop("id"))
    with pytest.raises(SchemaError, match="time column 'tiem' is not in the table; did you mean 'time'"):
        Account("tiem").add(FRAME)
