from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from ratchet.data.tables import dataset_info, read_dataset, write_dataset
from ratchet.errors import PackageError
from ratchet.models.package import ModelPackage
from ratchet.scoring import encode_rows

pytestmark = pytest.mark.slow  # trained models


def test_each_row_gets_what_the_package_says_of_it_in_the_order_of_the_rows(cards, rows, tmp_path):
    encoding = encode_rows(cards / "rows", cards / "autoencoder", tmp_path / "encoded")
    package = ModelPackage.load(cards / "autoencoder")
    expected = package.encode(rows, shares=True)
    found = read_dataset(tmp_path / "encoded")
    assert found.columns == ["transaction_id", "time", "embedding_0", "embedding_1", "error", "anomaly", "top_column", "top_share"]
    assert found.select("transaction_id", "time").equals(rows.select("transaction_id", "time"))
    assert np.array_equal(found.select("^embedding.*$").to_numpy(), expected.embedding)
    assert np.array_equal(found["error"].to_numpy(), expected.errors)
    assert found["anomaly"].to_list() == (package.decide(expected.errors) == package.spec.positive).tolist()
    names = np.array(package.encoder.preparation.columns)
    assert found["top_column"].to_list() == names[expected.shares.argmax(axis=1)].tolist()
    assert np.array_equal(found["top_share"].to_numpy(), expected.shares.max(axis=1))
    assert encoding.info.metadata() == dataset_info(tmp_path / "encoded", source=encoding.info.source, time_column="time").metadata()


def test_what_was_counted_is_what_was_written(cards, tmp_path):
    encoding = encode_rows(cards / "rows", cards / "autoencoder", tmp_path / "encoded")
    found = read_dataset(tmp_path / "encoded")
    anomalies = found.filter("anomaly")
    assert 0 < encoding.anomalies == anomalies.height < found.height / 10
    assert encoding.share == encoding.anomalies / found.height
    assert (encoding.mean, encoding.largest) == (pytest.approx(found["error"].mean()), found["error"].max())
    assert dict(encoding.seen_by) == dict(anomalies["top_column"].value_counts().iter_rows())
    sink = SimpleNamespace(metadata={})
    encoding.log_to(sink)
    assert sink.metadata["anomalies"] == str(encoding.anomalies)
    assert next(iter(encoding.seen_by)) in encoding.page().parts[0].rows[0].values()


def test_rows_that_are_off_are_anomalies_and_the_column_is_named(cards, rows, tmp_path):
    off = rows.head(40).with_columns(amount=pl.when(pl.int_range(40) % 4 == 0).then(1e7).otherwise("amount"))
    write_dataset(off, tmp_path / "off", source="test")
    encode_rows(tmp_path / "off", cards / "autoencoder", tmp_path / "encoded", keep=["amount"])
    found = read_dataset(tmp_path / "encoded").filter(pl.col("amount") == 1e7)
    assert found["anomaly"].to_list() == [True] * 10
    assert set(found["top_column"]) <= {"amount", "log_amount"}


def test_no_rows_are_encoded_to_none_with_the_same_columns(cards, rows, tmp_path):
    write_dataset(rows.head(0), tmp_path / "none", source="test")
    encoding = encode_rows(tmp_path / "none", cards / "autoencoder", tmp_path / "encoded")
    encode_rows(cards / "rows", cards / "autoencoder", tmp_path / "some")
    assert (encoding.info.rows, encoding.share, encoding.mean, encoding.largest, dict(encoding.seen_by)) == (0, 0.0, 0.0, 0.0, {})
    assert read_dataset(tmp_path / "encoded").schema == read_dataset(tmp_path / "some").schema


def test_a_package_of_another_kind_is_refused(cards, tmp_path):
    with pytest.raises(PackageError, match="of kind 'catboost', which encodes nothing; pass an autoencoder's"):
        encode_rows(cards / "rows", cards / "boosting", tmp_path / "encoded")
