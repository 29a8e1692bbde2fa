"""The face of ingest: parameters in, a Dataset with metadata and two outputs out."""

from pathlib import Path

import pytest
from kfp.dsl import Dataset

from components.data_processing.ingest.component import ingest
from ratchet.data.cards import write_cards
from ratchet.data.tables import read_dataset
from ratchet.errors import SourceError


def test_a_file_becomes_a_dataset_with_its_version(tmp_path: Path) -> None:
    rows = write_cards(tmp_path / "cards.csv", 1, seed=2, customers=30)
    data = Dataset(uri=str(tmp_path / "data"))
    counted, digest = ingest.python_func(data=data, source=str(tmp_path / "cards.csv"), time_column="time", since="2024-01-10")
    assert 0 < counted < rows
    assert counted == read_dataset(data.path).height == int(data.metadata["rows"])
    assert data.metadata["content_digest"] == digest
    assert data.metadata["time_min"] >= "2024-01-10"
    assert all(isinstance(value, str) for value in data.metadata.values())


def test_a_source_that_is_not_there_fails_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cards\.csv' does not exist"):
        ingest.python_func(data=Dataset(uri=str(tmp_path / "data")), source=str(tmp_path / "cards.csv"))
    assert list(tmp_path.iterdir()) == []
