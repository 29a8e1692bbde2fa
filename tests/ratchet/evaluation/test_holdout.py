"""Labels judge where they can; else anomalies are injected, the same for whoever asks."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ratchet.data.tables import write_dataset
from ratchet.errors import EmptySampleError, SchemaError, TargetError
from ratchet.evaluation.holdout import Holdout
from ratchet.evaluation.injection import Injection
from ratchet.features.spec import FeatureSpec

ROWS = pl.DataFrame(
    {
        "id": range(400),
        "at": [datetime(2024, 5, 1) + timedelta(hours=i) for i in range(400)],
        "x": np.random.default_rng(0).normal(size=400),
        "z": np.random.default_rng(1).normal(size=400),
        "bad": ["yes" if i % 50 == 0 else "no" for i in range(400)],
    }
)
SPEC = FeatureSpec("anomaly", "bad", {"x": "number", "id": "integer"}, ("x",), classes=("no", "yes"), key=("id",), time="at")
BARE = FeatureSpec("anomaly", "", {"x": "number"}, ("x",), classes=("normal", "anomaly"), time="at")


def read(folder: Path, frame: pl.DataFrame, spec: FeatureSpec = SPEC, *more: FeatureSpec, **how: object) -> Holdout:
    write_dataset(frame, folder / "holdout", source="test")
    return Holdout.read(folder / "holdout", spec, *more, **how)


def test_labels_judge_where_they_know_both_classes(tmp_path: Path) -> None:
    found = read(tmp_path, ROWS.with_columns(bad=pl.when(pl.col("id") % 3 > 0).then(pl.col("bad"))))
    assert (found.labels.sum(), len(found.labels), found.unlabelled, found.injected) == (5, 266, 134, None)
    assert found.classes == ("no", "yes")
    assert found.untouched is found.frame


@pytest.mark.parametrize("known", ["all normal", "no label", "anomalies only"])
def test_where_labels_cannot_judge_rows_not_known_to_be_anomalies_get_some(tmp_path: Path, known: str) -> None:
    label = {"all normal": pl.lit("no"), "no label": pl.lit(None, pl.String), "anomalies only": pl.when(pl.col("bad") == "yes").then("bad")}
    found = read(tmp_path, ROWS.with_columns(bad=label[known]), injection=Injection(("spike",), 0.1))
    assert found.injected is not None
    assert (len(found.labels), found.unlabelled) == (392 if known == "anomalies only" else 400, 0)
    assert found.labels.sum() == round(0.1 * len(found.labels))
    assert np.array_equal(found.labels == 1, (found.frame["x"] != found.untouched["x"]).to_numpy())
    assert found.frame["id"].equals(found.untouched["id"]), "a key is not touched, though it is read"


def test_both_models_meet_the_same_anomalies_in_the_columns_that_either_reads(tmp_path: Path) -> None:
    other = FeatureSpec("anomaly", "", {"z": "number"}, ("z",), classes=("normal", "anomaly"), time="at")
    first, second = read(tmp_path / "1", ROWS, BARE, other), read(tmp_path / "2", ROWS, other, BARE)
    assert first.frame.equals(second.frame)
    assert all((first.frame[name] != ROWS[name]).any() for name in ("x", "z"))
    assert first.frame["bad"].equals(ROWS["bad"])
    alone = read(tmp_path / "3", ROWS, BARE)
    assert alone.frame["z"].equals(ROWS["z"])


def test_what_cannot_be_judged_on_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="has no target column 'bad'; did you mean 'bat'"):
        read(tmp_path / "lost", ROWS.rename({"bad": "bat"}))
    with pytest.raises(TargetError, match="'bad' is 'perhaps' in row 0; known classes: no, yes"):
        read(tmp_path / "other", ROWS.with_columns(bad=pl.lit("perhaps")))
    with pytest.raises(EmptySampleError, match="3 rows are too few to inject"):
        read(tmp_path / "few", ROWS.head(3), BARE)
