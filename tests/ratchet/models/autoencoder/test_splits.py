import numpy as np
import polars as pl
import pytest

from ratchet.errors import EmptySampleError, ParameterError
from ratchet.features.spec import FeatureSpec
from ratchet.models.autoencoder.fitted import Learnt
from ratchet.models.autoencoder.parameters import AutoencoderParameters
from ratchet.models.autoencoder.splits import read_splits
from tests.ratchet.models.autoencoder.conftest import readings


def read(site, scratch, **how) -> Learnt:
    spec = FeatureSpec.read(site.folder / "specification.json")
    learnt, summary = read_splits(scratch, site.folder / "train", site.folder / "validation", spec, AutoencoderParameters(**how))
    assert summary.rows == learnt.train.rows
    return learnt


@pytest.mark.parametrize(("train_on", "rows"), [("auto", 1710), ("normal", 1710), ("all", 1800)])
def test_faulty_rows_train_only_where_all_do(machine, tmp_path, train_on, rows):
    learnt = read(machine, tmp_path, train_on=train_on)
    assert (learnt.train.rows, learnt.validation.rows) == (rows, 600)
    assert (learnt.train.labels == 1).any() == (train_on == "all")
    assert (learnt.validation.labels == 1).sum() == 30


def test_the_network_is_told_of_gaps_only_in_columns_that_have_some_in_training(machine, tmp_path, new_site):
    assert read(machine, tmp_path).masked == (0,)
    whole = new_site(readings(400).with_columns(pl.col("reading_0").fill_null(0.0)))
    learnt = read(whole, tmp_path)
    assert learnt.masked == ()
    assert learnt.train.layout.masks == 0


def test_columns_of_one_signal_share_a_scale(new_site, tmp_path):
    table = pl.DataFrame({f"t{step}": np.arange(40.0) * (step + 1) for step in range(4)})
    spreads = {one.spread for one in read(new_site(table, target=""), tmp_path, architecture="conv").preparation.numbers}
    assert len(spreads) == 1
    assert len({one.spread for one in read(new_site(table, target=""), tmp_path).preparation.numbers}) == 4


def test_normal_rows_cannot_be_told_without_labels(new_site, tmp_path):
    with pytest.raises(ParameterError, match="there is no label"):
        read(new_site(readings(400).drop("state"), target=""), tmp_path, train_on="normal")


def test_a_split_without_rows_is_named(new_site, tmp_path):
    with pytest.raises(EmptySampleError, match="there are none"):
        read(new_site(readings(80).with_columns(state=pl.lit("faulty"))), tmp_path)


def test_columns_that_are_no_steps_of_that_many_channels_are_refused(new_site, tmp_path):
    table = pl.DataFrame({f"t{step}": np.arange(40.0) for step in range(5)})
    with pytest.raises(ParameterError, match="channels is 2, and 5 numeric columns"):
        read(new_site(table, target=""), tmp_path, scaling="window", channels=2)
