import re

import polars as pl
import pytest

from ratchet.data import pieces
from ratchet.data.tables import read_dataset, write_dataset
from ratchet.errors import SchemaError, SourceError
from ratchet.features.spec import FeatureSpec
from ratchet.features.windows import parse_windows
from ratchet.models.package import ModelPackage
from ratchet.scoring.batch import score_rows
from ratchet.scoring.encoding import Encoder
from tests.autoencoders import linear_package

pytestmark = pytest.mark.slow  # trained models


@pytest.fixture
def package(cards):
    return ModelPackage.load(cards / "autoencoder")


def numbered(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(error=pl.col("amount") * 2)


def test_pieces_of_any_size_give_the_same_rows_in_the_same_order(cards, rows, package, tmp_path, monkeypatch):
    digests = set()
    for size in (7, 300, 8_000_000):
        monkeypatch.setattr(pieces, "CELLS", size * len(rows.columns))
        info = score_rows(cards / "rows", package, tmp_path / f"out-{size}", numbered)
        found = read_dataset(tmp_path / f"out-{size}")
        assert found["transaction_id"].equals(rows["transaction_id"])
        assert found["error"].equals((rows["amount"] * 2).rename("error"))
        digests.add(info.content_digest)
    assert len(digests) == 1
    assert (info.rows, info.time_min) == (rows.height, rows["time"].min().isoformat())


def test_key_time_and_group_are_kept_where_they_are_there_or_what_is_asked_for(cards, rows, package, tmp_path):
    assert score_rows(cards / "rows", package, tmp_path / "usual", numbered).columns == ("transaction_id", "time", "error")
    asked = score_rows(cards / "rows", package, tmp_path / "asked", numbered, keep=["fraud", "amount"])
    assert (asked.columns, asked.time_min) == (("fraud", "amount", "error"), None)
    write_dataset(rows.drop("transaction_id"), tmp_path / "nameless", source="test")
    assert score_rows(tmp_path / "nameless", package, tmp_path / "none", numbered).columns == ("time", "error")


def test_a_column_to_keep_that_is_not_there_or_is_made_anew_is_refused(cards, rows, package, tmp_path):
    with pytest.raises(SchemaError, match="keep: no column 'amuont' in the rows; did you mean 'amount'"):
        score_rows(cards / "rows", package, tmp_path / "out", numbered, keep=["amuont"])
    write_dataset(rows.with_columns(error=0.0), tmp_path / "rows", source="test")
    with pytest.raises(SchemaError, match="column 'error' is to be kept, and a new column has that name"):
        score_rows(tmp_path / "rows", package, tmp_path / "out", numbered, keep=["error"])
    assert not (tmp_path / "out").exists()


def test_a_row_that_cannot_be_scored_is_found_by_its_message(rows, package, tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "CELLS", 100 * len(rows.columns))
    odd = rows.with_columns(amount=pl.when(pl.int_range(pl.len()) == 250).then(float("inf")).otherwise("amount"))
    write_dataset(odd, tmp_path / "odd", source="test")
    with pytest.raises(SchemaError, match=r"column 'amount' is inf in row (\d+);.*\(rows count from row (\d+) of '.*odd'\)") as caught:
        score_rows(tmp_path / "odd", package, tmp_path / "out", Encoder(package))
    within, before = map(int, re.findall(r"row (\d+)", str(caught.value)))
    assert within + before == 250
    assert not (tmp_path / "out").exists()


def test_rows_without_the_windows_that_a_model_reads_are_sent_to_the_features_step(tmp_path):
    table = pl.DataFrame({"card": ["a", "b"] * 20, "n_7d": [float(place % 3) for place in range(40)]})
    (window,) = parse_windows([{"name": "n_7d", "by": "card", "aggregate": "count", "over": "7d"}])
    spec = FeatureSpec("anomaly", "", {"n_7d": "number"}, (), ("normal", "anomaly"), windows=(window,), time="at")
    windowed = linear_package(tmp_path / "model", spec, table, latent=1)
    write_dataset(table, tmp_path / "with", source="test")
    assert score_rows(tmp_path / "with", windowed, tmp_path / "out", Encoder(windowed)).rows == 40
    write_dataset(table.select("card"), tmp_path / "without", source="test")
    with pytest.raises(SchemaError, match="lack 'n_7d', a window over time; pass a table of the features step"):
        score_rows(tmp_path / "without", windowed, tmp_path / "out", Encoder(windowed))


def test_rows_that_lack_an_input_or_are_no_dataset_are_refused(rows, package, tmp_path):
    write_dataset(rows.drop("amount"), tmp_path / "less", source="test")
    with pytest.raises(SchemaError, match="column 'amount' is missing"):
        score_rows(tmp_path / "less", package, tmp_path / "out", Encoder(package))
    with pytest.raises(SourceError, match=r"not a folder of \.parquet parts"):
        score_rows(tmp_path / "nothing", package, tmp_path / "out", Encoder(package))
