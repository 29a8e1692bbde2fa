"""The mark that says "there is none yet"."""

from pathlib import Path

import polars as pl
import pytest

from ratchet.data.absent import absent_reason, is_absent, write_absent
from ratchet.data.tables import read_dataset, write_dataset
from ratchet.errors import SourceError


def test_a_reader_of_an_absent_dataset_is_told_why_it_is_absent(tmp_path: Path) -> None:
    write_absent(tmp_path / "reference", "no champion yet")
    assert is_absent(tmp_path / "reference")
    with pytest.raises(SourceError, match="absent: no champion yet"):
        read_dataset(tmp_path / "reference")


def test_a_dataset_that_is_there_is_not_absent(tmp_path: Path) -> None:
    write_dataset(pl.DataFrame({"a": [1]}), tmp_path / "data", source="test")
    assert not is_absent(tmp_path / "data")
    assert absent_reason(tmp_path / "data") == ""
    assert not is_absent(tmp_path / "nothing")
