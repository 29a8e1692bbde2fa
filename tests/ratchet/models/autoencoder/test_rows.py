import numpy as np
import polars as pl
import pytest

from ratchet.data.digests import content_digest
from ratchet.data.tables import write_dataset
from ratchet.errors import EmptySampleError, TargetError
from ratchet.features.spec import FeatureSpec
from ratchet.models.autoencoder.preparation import Preparation
from ratchet.models.autoencoder.rows import DatasetRows, Layout, PreparedRows, Summary, labels_of, relaid, sample

SPEC = FeatureSpec("anomaly", "y", {"x": "number", "k": "string"}, ("x", "k"), ("ok", "bad"))
TABLE = pl.DataFrame(
    {"x": [1.0, None, 3.0, 4.0, 9.0], "k": ["a", "b", None, "a", "c"], "y": ["ok", "ok", None, "ok", "bad"]},
    schema={"x": pl.Float64, "k": pl.String, "y": pl.String},
)


@pytest.fixture
def dataset(tmp_path):
    write_dataset(iter([TABLE[:2], TABLE[2:]]), tmp_path / "data", source="test")
    return tmp_path / "data"


def written(folder, dataset, *, normal_only=False, masks=True) -> tuple[PreparedRows, Summary, Preparation]:
    summary = Summary()
    source = DatasetRows(dataset, SPEC, normal_only=normal_only)
    preparation = Preparation.learn(source.matrices(summary), SPEC.features)
    return PreparedRows.write(folder / "rows", source, preparation, masks=masks), summary, preparation


def test_a_row_without_a_label_is_neither_normal_nor_an_anomaly():
    assert labels_of(TABLE, SPEC).tolist() == [0.0, 0.0, -1.0, 0.0, 1.0]


def test_a_label_of_no_known_class_is_refused():
    with pytest.raises(TargetError, match="'odd'"):
        labels_of(TABLE.with_columns(y=pl.lit("odd")), SPEC)


def test_without_a_target_nothing_is_known():
    assert set(labels_of(TABLE, FeatureSpec("anomaly", "", SPEC.inputs, SPEC.plain, ("normal", "anomaly")))) == {-1.0}


def test_only_rows_labelled_normal_are_learnt_from(tmp_path, dataset):
    rows, summary, preparation = written(tmp_path, dataset, normal_only=True)
    assert (rows.rows, summary.rows) == (3, 3)
    assert preparation.numbers[0].centre == pytest.approx(2.5)
    assert preparation.categories[0].values == ("a", "b")


def test_the_version_of_the_data_is_of_all_its_rows(tmp_path, dataset):
    _, summary, _ = written(tmp_path, dataset, normal_only=True)
    assert summary.digest.text() == content_digest(TABLE)
    assert summary.nullable == {"x", "k"}


def test_records_hold_what_the_preparation_makes_of_the_rows(tmp_path, dataset):
    rows, _, preparation = written(tmp_path, dataset)
    prepared = preparation.prepare(SPEC.matrix(TABLE))
    held = np.concatenate(list(rows.blocks(2)))
    assert rows.layout == Layout(1, 1, 1)
    assert held.tolist() == np.concatenate([prepared.numbers, prepared.missing, prepared.categories], axis=1).tolist()


def test_blocks_are_read_in_the_order_asked_for(tmp_path, dataset):
    rows, _, _ = written(tmp_path, dataset)
    plain = np.concatenate(list(rows.blocks(2)))
    buffer = np.empty_like(plain)
    assert rows.fill(buffer, 2, np.array([2, 0])) == 3
    assert buffer[:3].tolist() == plain[[4, 0, 1]].tolist()


def test_a_sample_is_of_the_rows_that_may_be_taken(tmp_path, dataset):
    rows, _, _ = written(tmp_path, dataset)
    plain = np.concatenate(list(rows.blocks(8)))
    assert sample(rows, 2).tolist() == plain[[0, 3]].tolist()
    assert sample(rows, 10, np.array([1, 4])).tolist() == plain[[1, 4]].tolist()


def test_records_of_a_table_without_gaps_can_be_laid_out_as_those_of_one_with_gaps():
    records = np.array([[1.0, 2.0, 5.0]], np.float32)
    assert relaid(records, Layout(2, 0, 1), Layout(2, 2, 1)).tolist() == [[1.0, 2.0, 0.0, 0.0, 5.0]]
    assert relaid(records, Layout(2, 0, 1), Layout(2, 0, 1)) is records


def test_no_normal_row_to_learn_from_is_said(tmp_path):
    write_dataset(TABLE.filter(pl.col("y") == "bad"), tmp_path / "data", source="test")
    with pytest.raises(EmptySampleError, match="there are none"):
        written(tmp_path, tmp_path / "data", normal_only=True)
