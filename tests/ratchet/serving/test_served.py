import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ratchet.errors import PackageError, SchemaError
from ratchet.models.manifest import write_manifest
from ratchet.models.package import ModelPackage
from ratchet.serving.served import alarms, describe, load, score


def test_a_batch_is_scored_as_the_package_would_and_timed(stored, frame):
    served = load(Path(stored[0].uri), stored[0], None)
    scored = score(served.package, frame(40))
    assert scored.predictions.tolist() == served.package.predict(frame(40)).tolist()
    assert scored.milliseconds > 0
    with pytest.raises(SchemaError, match="hour"):
        score(served.package, frame(2).drop("hour"))


def test_a_described_package_knows_its_inputs_and_cannot_be_asked(stored, frame):
    served = describe(Path(stored[0].uri), stored[0], None)
    assert set(served.package.spec.inputs) == {"amount", "hour"}
    assert served.package.decide(np.array([0.1, 0.9])).tolist() == ["0", "1"]
    with pytest.raises(PackageError, match="child"):
        served.package.predict(frame(1))


@pytest.mark.parametrize("how", [load, describe])
def test_another_package_than_the_ledger_names_is_refused(stored, how):
    with pytest.raises(PackageError, match="replaced"):
        how(Path(stored[0].uri), replace(stored[0], digest=stored[1].digest), None)


@pytest.mark.parametrize("how", [load, describe])
def test_a_package_without_the_signature_is_refused_where_there_is_a_key(stored, how):
    with pytest.raises(PackageError, match="not signed"):
        how(Path(stored[0].uri), stored[0], b"key")


def test_a_model_that_answers_other_rows_than_it_was_asked_is_refused(stored):
    class Short:
        def predict(self, matrix: pl.DataFrame) -> np.ndarray:
            return np.zeros(matrix.height - 1)

    served = load(Path(stored[0].uri), stored[0], None)
    with pytest.raises(PackageError, match="3 rows"):
        score(replace(served.package, native=Short()), pl.DataFrame({"amount": [1.0] * 3, "hour": [1] * 3}))


def test_an_autoencoder_s_batch_has_the_details_that_are_wanted_and_no_other(encoders):
    served = load(Path(encoders[1].uri), encoders[1], None)
    frame = pl.DataFrame({"amount": [4.0, None], "hour": [3, 4], "shop": ["a", "z"]})
    encoded = served.package.encode(frame, shares=True)
    both, one, none = (score(served.package, frame, frozenset(wants)) for wants in (("embedding", "shares"), ("shares",), ()))
    assert both.predictions.tolist() == one.predictions.tolist() == none.predictions.tolist() == encoded.errors.tolist()
    assert (set(both.details), set(one.details), set(none.details)) == ({"embedding", "shares"}, {"shares"}, set())
    assert both.details["embedding"].tolist() == encoded.embedding.tolist()
    assert one.details["shares"].tolist() == encoded.shares.tolist()
    assert (served.latent, served.columns) == (2, served.package.encoder.preparation.columns)


def test_rows_at_the_threshold_are_alarms(encoders):
    package = load(Path(encoders[0].uri), encoders[0], None).package
    assert alarms(package, np.array([1.999, 2.0, 3.0])).tolist() == [False, True, True]


def test_a_challenger_s_columns_are_known_without_a_parser_of_its_graph(encoders):
    code = """
import sys
from pathlib import Path
from ratchet.delivery.deployment import ModelRef
from ratchet.serving.served import describe
served = describe(Path(sys.argv[1]), ModelRef("1", sys.argv[2], sys.argv[1]), None)
print(*served.columns, served.latent, "onnxruntime" in sys.modules)
"""
    told = subprocess.run([sys.executable, "-c", code, encoders[1].uri, encoders[1].digest], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["amount", "late", "shop", "-1", "False"]


def test_a_model_of_another_kind_has_neither_columns_nor_embeddings(stored, frame):
    served = load(Path(stored[0].uri), stored[0], None)
    assert (served.columns, served.latent) == ((), 0)
    with pytest.raises(PackageError, match="encodes nothing"):
        score(served.package, frame(1), frozenset(("embedding",)))


def test_a_stacked_package_is_served_as_any_other_with_the_encoder_that_it_holds(stacked, frame):
    served = load(Path(stacked[0].uri), stacked[0], None)
    expected = ModelPackage.load(stacked[0].uri).predict(frame(40))
    assert score(served.package, frame(40)).predictions.tolist() == expected.tolist()
    assert [score(served.package, frame(40)[at]).predictions[0] for at in range(40)] == expected.tolist()
    assert describe(Path(stacked[0].uri), stacked[0], None).package.digest == stacked[0].digest


@pytest.mark.parametrize("how", [load, describe])
def test_a_stacked_package_with_another_encoder_within_is_refused(stacked, how, tmp_path):
    folder = Path(shutil.copytree(stacked[0].uri, tmp_path / "model"))
    shutil.rmtree(folder / "encoder")
    shutil.copytree(Path(stacked[1].uri) / "encoder", folder / "encoder")
    with pytest.raises(PackageError, match="encoder"):
        how(folder, stacked[0], None)  # its manifest does not hold
    (folder / "MANIFEST.sha256").unlink()
    write_manifest(folder)
    with pytest.raises(PackageError, match=r"encoder|replaced"):
        how(folder, stacked[0], None)


def test_to_serve_an_autoencoder_takes_onnxruntime_and_never_tensorflow(encoders):
    code = """
import sys
from pathlib import Path
from ratchet.delivery.deployment import ModelRef
from ratchet.serving.served import load
load(Path(sys.argv[1]), ModelRef("0", sys.argv[2], sys.argv[1]), None)
print(*({"onnxruntime", "onnx", "tensorflow", "keras", "catboost"} & set(sys.modules)))
"""
    told = subprocess.run([sys.executable, "-c", code, encoders[0].uri, encoders[0].digest], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["onnxruntime"]
