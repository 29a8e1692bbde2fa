"""A value that is no number must never come out as "not an anomaly"."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from ratchet.data.tables import read_dataset
from ratchet.errors import DataError, PackageError, SchemaError
from ratchet.models.autoencoder.networks import build_network
from ratchet.models.autoencoder.parameters import AutoencoderParameters
from ratchet.models.autoencoder.preparation import Category, Number, Preparation
from ratchet.models.autoencoder.reconstruction import Reconstruction
from ratchet.models.autoencoder.rows import Layout
from ratchet.models.autoencoder.tensorflow import load_tensorflow

pytestmark = pytest.mark.slow

COLUMNS = Preparation(tuple(Number(name, 0.0, 1.0) for name in "abc"), (), (1.0,) * 3)
WRONG = [float("nan"), float("inf"), float("-inf")]


@pytest.fixture(scope="module")
def keras_network() -> Reconstruction:
    load_tensorflow(2)
    network = build_network(COLUMNS, AutoencoderParameters(hidden=(8,)), 2)
    return Reconstruction(network, Layout(3, 3, 0), ())


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("column", range(3))
def test_keras_is_not_given_what_is_no_number(keras_network, wrong, column):
    records = np.zeros((4, 6), np.float32)
    records[2, column] = wrong
    with pytest.raises(DataError, match="prepared row 2 holds"):
        keras_network.ask(records)


def test_what_keras_makes_no_number_of_is_not_taken_for_usual(keras_network):
    weights = keras_network.network.get_weights()
    try:
        keras_network.network.set_weights([np.full_like(part, 3e38) for part in weights])
        with pytest.raises(PackageError, match="not finite"):
            keras_network.ask(np.ones((4, 6), np.float32))
    finally:
        keras_network.network.set_weights(weights)


def test_a_missing_number_has_no_error(keras_network):
    records = np.zeros((2, 6), np.float32)
    records[:, :3] = [[0.0, 5.0, 5.0], [0.0, 5.0, 5.0]]
    records[1, 3] = 1.0
    errors = keras_network.ask(records)[1]
    assert errors[1, 0] == 0 < errors[0, 0]
    assert (errors[0, 1:] == errors[1, 1:]).all()


def test_the_error_of_several_members_is_the_mean_of_theirs():
    load_tensorflow(2)
    how, columns, layout = AutoencoderParameters(hidden=(8,)), replace(COLUMNS, categories=(Category("k", ("u", "v")),)), Layout(3, 3, 1)
    together = build_network(columns, replace(how, members=3), 2)
    alone = [build_network(columns, how, 2) for _ in range(3)]
    weights, each = together.get_weights(), len(alone[0].get_weights())
    for place, network in enumerate(alone):
        network.set_weights(weights[place * each : (place + 1) * each])
    records = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    records[:, 3:6], records[:, 6] = np.arange(150).reshape(50, 3) % 5 == 0, np.arange(50) % 4
    embedding, errors = Reconstruction(together, layout, (4,)).ask(records)
    found = [Reconstruction(network, layout, (4,)).ask(records) for network in alone]
    assert errors == pytest.approx(np.mean([part for _, part in found], axis=0), rel=1e-5, abs=1e-6)
    assert embedding == pytest.approx(found[0][0], rel=1e-5, abs=1e-6)
    assert not np.allclose(found[0][1], found[1][1])


@pytest.mark.parametrize("wrong", WRONG)
def test_neither_is_the_exported_graph(encoder, machine, wrong):
    rows = read_dataset(machine.folder / "validation").head(3)
    spoilt = encoder.package.spec.matrix(rows).with_columns(reading_1=np.array([0.0, wrong, 0.0]))
    with pytest.raises(DataError, match="reading_1"):
        encoder.package.native.predict(spoilt)


def test_in_the_raw_columns_nan_is_a_gap_and_infinity_is_refused(encoder, machine):
    rows = read_dataset(machine.folder / "validation").head(1)
    nan, gap, infinite = (rows.with_columns(reading_1=pl.Series([value], dtype=pl.Float64)) for value in (float("nan"), None, float("inf")))
    assert encoder.package.predict(nan).tolist() == encoder.package.predict(gap).tolist()
    with pytest.raises(SchemaError, match="reading_1"):
        encoder.package.predict(infinite)
