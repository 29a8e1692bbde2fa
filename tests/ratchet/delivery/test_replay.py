"""Replaying recorded rows in a fresh process: equal, or the reason why not."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ratchet.delivery.ledger import ModelRef
from ratchet.delivery.replay import ABSOLUTE, RELATIVE, TOLERANCE, judge, replay, replay_here
from ratchet.delivery.storage import describe_package
from ratchet.models.manifest import write_manifest

pytestmark = pytest.mark.slow


def stored(world, folder: Path) -> Path:
    return shutil.copytree(world.packages[0], folder / "model")


def reference(world, folder: Path) -> ModelRef:
    """Name a package as if it had been registered as it is, so that only the replay can find fault with it."""
    (folder / "MANIFEST.sha256").unlink()
    write_manifest(folder)
    return ModelRef("1", describe_package(folder, world.settings)[1], str(folder))


def test_an_intact_package_predicts_as_recorded(world, tmp_path):
    seen = replay(reference(world, stored(world, tmp_path)), world.settings)
    assert (seen.healthy, seen.rows, seen.largest) == (True, 100, 0.0)


def test_a_prediction_that_moved_by_a_millionth_is_found(world, tmp_path):
    folder = stored(world, tmp_path)
    rows = pl.read_parquet(folder / "examples.parquet")
    by = pl.when(pl.int_range(pl.len()) == 41).then(1e-6).otherwise(0.0)
    moved = rows.with_columns(pl.col("ratchet_prediction_0") + by)
    moved.write_parquet(folder / "examples.parquet")
    seen = replay_here(reference(world, folder), world.settings)
    assert not seen.healthy
    assert "prediction 41 of 100" in seen.reason


def test_a_native_file_that_is_no_model_is_an_answer_and_not_a_crash(world, tmp_path):
    folder = stored(world, tmp_path)
    (folder / "model.cbm").write_bytes(b"CBM1" + b"\xff" * 64)
    seen = replay(reference(world, folder), world.settings)
    assert not seen.healthy
    assert seen.rows == 0


def test_another_package_in_its_place_is_found(world, tmp_path):
    named = replace(reference(world, stored(world, tmp_path)), digest="sha256:" + "0" * 64)
    assert "was replaced" in replay_here(named, world.settings).reason


def test_a_package_that_is_gone_is_an_answer(world, tmp_path):
    assert "nothing is stored" in replay_here(ModelRef("1", "sha256:00", str(tmp_path / "gone")), world.settings).reason


def test_a_load_that_hangs_is_an_answer(world, tmp_path):
    assert "within 0.001 s" in replay(reference(world, stored(world, tmp_path)), world.settings, timeout=0.001).reason


@given(arrays.arrays(np.float64, st.integers(1, 20), elements=st.floats(0, 1)), st.floats(1.001 * TOLERANCE, 1.0), st.data())
def test_one_moved_prediction_among_any_is_found(recorded, by, data):
    assert judge("m", recorded, recorded.copy()).healthy
    moved = recorded.copy()
    place = data.draw(st.integers(0, len(recorded) - 1))
    moved[place] += by
    assert not judge("m", recorded, moved).healthy


@pytest.mark.parametrize(
    ("recorded", "predicted", "why"),
    [([], [], "no recorded rows"), ([0.5], [np.nan], "nan"), ([np.nan], [0.5], "nan"), ([0.5, 0.5], [0.5], "predictions for")],
)
def test_what_cannot_be_compared_is_not_healthy(recorded, predicted, why):
    seen = judge("m", np.array(recorded), np.array(predicted))
    assert not seen.healthy
    assert why in seen.reason


def test_classes_are_compared_one_by_one():
    assert judge("m", np.eye(3), np.eye(3)).healthy
    assert not judge("m", np.eye(3), np.eye(3)[::-1]).healthy


@given(arrays.arrays(np.float64, st.integers(1, 20), elements=st.floats(0, 1e4)), st.data())
def test_a_network_may_differ_as_float32_sums_do_and_no_more(recorded, data):
    near = {"absolute": ABSOLUTE["autoencoder"], "relative": RELATIVE["autoencoder"]}
    assert judge("m", recorded, recorded * (1 + 9e-6), **near).healthy
    moved = recorded.copy()
    place = data.draw(st.integers(0, len(recorded) - 1))
    moved[place] += 1.1 * (near["absolute"] + near["relative"] * recorded[place])
    seen = judge("m", recorded, moved, **near)
    assert not seen.healthy
    assert f"prediction {place} of" in seen.reason


def test_an_autoencoder_from_the_registry_predicts_as_recorded_and_one_that_moved_is_found(anomalies, name):
    model = anomalies.register(name, 0)
    seen = replay(model, anomalies.settings)
    assert (seen.healthy, seen.rows, seen.largest) == (True, 100, 0.0)
    folder = Path(model.uri)
    rows = pl.read_parquet(folder / "examples.parquet")
    rows.with_columns(pl.col("ratchet_prediction_0") * 1.001).write_parquet(folder / "examples.parquet")
    (folder / "MANIFEST.sha256").unlink()
    write_manifest(folder)
    seen = replay_here(model, anomalies.settings)
    assert not seen.healthy
    assert "1e-05 of it" in seen.reason


def test_of_a_stacked_model_one_row_in_a_hundred_may_turn_at_a_tree_s_border_and_no_more():
    recorded = np.linspace(0, 1, 100)
    moved, more, lost = recorded.copy(), recorded.copy(), recorded.copy()
    moved[7] += 0.2
    more[[7, 8]] += 0.2
    lost[7] = np.nan
    assert judge("m", recorded, moved, spare=1).reason.endswith("predicts 100 recorded rows as recorded, but 1")
    assert not judge("m", recorded, moved).healthy
    assert "prediction 8 of 100" in judge("m", recorded, more, spare=1).reason
    assert not judge("m", recorded, lost, spare=1).healthy
