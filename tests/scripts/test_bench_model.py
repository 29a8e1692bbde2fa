"""The bench's work: enough of it, and the same rows in every form."""

import json
from pathlib import Path

import numpy as np

from ratchet.features.expressions import parse_expressions
from scripts.bench_model import EXPRESSIONS, KINDS, inference_body, payments, split_body, table_of, train


def test_the_model_has_fifteen_expressions_or_more_and_two_categories(tmp_path: Path) -> None:
    package = train(tmp_path / "model", seed=0, trees=2, rows=400)
    assert len(parse_expressions(EXPRESSIONS)) >= 15
    assert sum(kind == "string" for kind in KINDS.values()) == 2
    assert package.predict(payments(5, seed=1)).shape == (5,)


def test_the_rows_of_every_form_of_request_are_the_same(tmp_path: Path) -> None:
    package, frame = train(tmp_path / "model", seed=0, trees=2, rows=400), payments(40, seed=3)
    assert frame["distance"].null_count() > 0
    tensors = json.loads(inference_body(frame))["inputs"]
    split = json.loads(split_body(frame))["dataframe_split"]
    columns = dict(zip(split["columns"], map(list, zip(*split["data"], strict=True)), strict=True))
    for table in (table_of({tensor["name"]: tensor["data"] for tensor in tensors}), table_of(columns)):
        assert table.equals(frame)
        assert np.array_equal(package.predict(table), package.predict(frame))


def test_the_same_seed_gives_the_same_work(tmp_path: Path) -> None:
    assert len({train(tmp_path / name, seed=0, trees=2, rows=400).digest for name in ("a", "b")}) == 1
