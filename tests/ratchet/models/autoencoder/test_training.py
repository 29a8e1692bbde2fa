"""What one training promises, on readings of a machine; and what each choice changes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ratchet.data.digests import content_digest
from ratchet.data.tables import read_dataset, write_dataset
from ratchet.errors import DataError, EmptySampleError, ParameterError
from ratchet.features.spec import FeatureSpec
from ratchet.models.autoencoder.latent_search import average_precision
from ratchet.models.package import ModelPackage
from tests.ratchet.models.autoencoder.conftest import NUMBERS, readings

pytestmark = pytest.mark.slow

AGAIN = """
import sys
from pathlib import Path
from tests.ratchet.models.autoencoder.conftest import Site
print(Site(Path(sys.argv[1])).train(Path(sys.argv[2]), noise=0.1, masking=0.1).digest)
"""
ROOT = Path(__file__).resolve().parents[4]


def test_the_package_gives_the_errors_that_set_its_threshold_to_the_last_bit(encoder, machine):
    validation = read_dataset(machine.folder / "validation")
    assert encoder.package.predict(validation).tolist() == encoder.errors.tolist()
    assert ModelPackage.load(encoder.package.path).digest == encoder.digest


def test_rows_that_do_not_go_together_are_found(encoder, machine):
    validation = read_dataset(machine.folder / "validation")
    decided = encoder.package.decide(encoder.package.predict(validation))
    faulty = validation["state"].to_numpy() == "faulty"
    assert (decided[faulty] == "faulty").mean() > 0.6
    assert (decided[~faulty] == "faulty").mean() < 0.05
    assert average_precision(faulty.astype(float), encoder.errors) > 0.7


def test_the_same_data_parameters_and_seed_give_the_same_bytes_in_another_process(encoder, machine, tmp_path):
    command = [sys.executable, "-c", AGAIN, str(machine.folder), str(tmp_path / "again")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("model.onnx", "preparation.json", "ratchet.json"):
        assert (tmp_path / "again" / name).read_bytes() == (encoder.package.path / name).read_bytes(), name
    assert done.stdout.split()[-1] == encoder.digest


def test_another_seed_gives_another_network(encoder, machine, tmp_path):
    other = machine.train(tmp_path / "other", noise=0.1, masking=0.1, seed=1, epochs=1)
    assert other.digest != encoder.digest
    assert (other.package.path / "model.onnx").read_bytes() != (encoder.package.path / "model.onnx").read_bytes()


def test_several_members_are_one_graph_and_the_same_again(machine, tmp_path):
    first, again = (machine.train(tmp_path / name, members=3, epochs=3) for name in ("first", "again"))
    assert first.digest == again.digest
    assert (first.package.path / "model.onnx").read_bytes() == (again.package.path / "model.onnx").read_bytes()
    assert first.package.predict(read_dataset(machine.folder / "validation")).tolist() == first.errors.tolist()


def test_the_package_says_how_it_was_trained(encoder, machine):
    said = json.loads((encoder.package.path / "ratchet.json").read_text())
    assert said["kind"] == "autoencoder"
    assert said["parameters"]["hidden"] == [16]
    assert said["parameters"]["best_epoch"] == encoder.history.best_epoch
    assert said["training_digest"] == content_digest(read_dataset(machine.folder / "train"))
    nullable = [name for name, schema in said["input_schema"].items() if schema["nullable"]]
    assert nullable == [NUMBERS[0]]


def test_a_specification_of_another_task_lends_its_features_and_the_threshold_is_by_rate(new_site, tmp_path):
    result = new_site(readings(1200), task="multiclass").train(tmp_path / "model", false_alarm_rate=0.05, epochs=1)
    assert result.alarm_rate == pytest.approx(0.05, abs=0.01)
    assert result.package.spec.classes == ("normal", "anomaly")
    assert set(result.labels) == {-1.0}


def test_no_validation_rows_are_refused(new_site, tmp_path):
    place = new_site(readings(400))
    write_dataset(read_dataset(place.folder / "validation").clear(), place.folder / "validation", source="test")
    with pytest.raises((EmptySampleError, DataError), match="there are none"):
        place.train(tmp_path / "model", epochs=1)


@pytest.mark.parametrize("architecture", ["conv", "lstm"])
def test_windows_of_a_time_series_are_made_again(architecture, new_site, tmp_path):
    """A window is 9 steps of two channels, a sine and a cosine; in a faulty one the channels are apart."""
    rng = np.random.default_rng(0)
    phase, faulty = rng.uniform(0, 6.28, 800), np.arange(800) % 10 == 3
    steps = phase[:, None] + np.arange(9) / 2
    values = np.stack([np.sin(steps), np.cos(steps + 2.0 * faulty[:, None])], axis=2).reshape(800, 18) + 0.05 * rng.normal(size=(800, 18))
    table = pl.DataFrame({f"t{place // 2}_{'ab'[place % 2]}": values[:, place] for place in range(18)})
    place = new_site(table.with_columns(state=pl.Series(np.where(faulty, "faulty", "ok"))))
    result = place.train(tmp_path / "model", architecture=architecture, channels=2, hidden=(12,), latent_size=2, epochs=15)
    assert average_precision(result.labels, result.errors) > 0.9
    assert result.package.predict(read_dataset(place.folder / "validation")).tolist() == result.errors.tolist()
    spreads = {one.spread for one in result.package.encoder.preparation.numbers}
    assert len(spreads) == 2, "one for each channel"


def test_texts_are_no_windows(machine, tmp_path):
    with pytest.raises(ParameterError, match="architecture='conv' takes numbers only"):
        machine.train(tmp_path / "model", architecture="conv")


def test_columns_of_text_alone_can_be_learnt(new_site, tmp_path):
    table = pl.DataFrame({"a": ["x", "y"] * 200, "b": ["u", "v"] * 200})
    result = new_site(table, target="").train(tmp_path / "model", epochs=20)
    odd = pl.DataFrame({"a": ["x", "y", None], "b": ["u", "u", "never seen"]})
    errors = result.package.predict(odd)
    assert (errors[1:] > 3 * errors[0]).all()


def test_a_specification_is_read_not_changed(machine):
    assert FeatureSpec.read(machine.folder / "specification.json").task == "anomaly"
