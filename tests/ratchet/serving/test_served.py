from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ratchet.errors import PackageError, SchemaError
from ratchet.serving.served import describe, load, score


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
