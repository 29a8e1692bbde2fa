import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.data.tables import read_dataset
from ratchet.errors import ParameterError
from ratchet.models.autoencoder.fitting import batch_size, compiles, usual
from ratchet.models.autoencoder.parameters import AutoencoderParameters


@given(st.integers(1, 100_000), st.integers(1, 4096))
def test_a_batch_is_never_larger_than_asked_or_than_the_table(rows, asked):
    batch = batch_size(AutoencoderParameters(batch_size=asked), rows)
    assert 1 <= batch <= min(asked, rows)
    assert rows < 32 * 8 or batch == asked or rows // batch >= 32


def test_known_anomalies_do_not_say_when_to_stop():
    assert usual(np.array([0.0, 1.0, -1.0])).tolist() == [True, False, True]
    assert usual(np.array([1.0, 1.0])).tolist() == [True, True], "where there is nothing else they must"


def test_only_what_xla_makes_faster_is_compiled():
    assert [compiles(AutoencoderParameters(one)) for one in ("dense", "conv", "lstm")] == [True, False, False]


@pytest.mark.slow
def test_training_stops_where_nothing_is_gained(machine, tmp_path):
    result = machine.train(tmp_path / "model", epochs=60, learning_rate=0.2, patience=2)
    assert len(result.history.train_error) < 60
    assert result.history.best_epoch <= len(result.history.train_error) - 2


@pytest.mark.slow
def test_a_diverging_network_is_no_model(machine, tmp_path, monkeypatch):
    monkeypatch.setattr("ratchet.models.autoencoder.fitting._learner", lambda *_: lambda chunk, shown, count: float("nan"))
    with pytest.raises(ParameterError, match="in pass 1 the error is nan; give a lower rate"):
        machine.train(tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.slow
def test_the_weights_of_the_best_pass_are_kept(encoder, machine):
    best = encoder.history.best_epoch - 1
    assert encoder.history.validation_error[best] == min(encoder.history.validation_error)
    validation = read_dataset(machine.folder / "validation").filter(pl.col("state") == "ok")
    found = encoder.package.encode(validation, shares=True)
    scales = np.array(encoder.package.encoder.preparation.scales)
    mean = (found.shares * found.errors[:, None] * scales * len(scales)).mean()  # the errors of columns, unscaled
    assert mean == pytest.approx(min(encoder.history.validation_error), rel=1e-3)
