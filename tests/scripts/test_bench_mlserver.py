"""MLServer's runtime, in MLServer's own environment; without that, only that its lock goes with ours."""

import re
from pathlib import Path

import numpy as np
import pytest

from scripts import bench_servers as servers
from scripts.bench_model import inference_body, payments, train

PIN = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)(?: ; python_full_version < '3.12')? \\$", re.MULTILINE)


def test_what_does_the_work_has_the_same_version_in_both_environments() -> None:
    theirs, ours = (dict(PIN.findall(lock.read_text())) for lock in (servers.LOCK, servers.ROOT / "requirements/dev.txt"))
    assert {name: theirs[name] for name in ("catboost", "numpy", "polars", "sqlglot")}.items() <= ours.items()


def test_the_lock_has_a_hash_for_each_package_and_names_no_index() -> None:
    text = servers.LOCK.read_text()
    assert len(PIN.findall(text)) == len([line for line in text.splitlines() if line and line[0] not in " #"])
    assert len(re.findall(r"==[^\n]*\\\n    --hash", text)) == len(PIN.findall(text))
    assert "://" not in text


@pytest.mark.slow
@pytest.mark.parametrize("batch", [0, 16])
def test_the_runtime_answers_as_the_package_does(tmp_path: Path, batch: int) -> None:
    if not (servers.MLSERVER / "installed").exists():
        pytest.skip("MLServer is not installed; make bench installs it")
    package, frame = train(tmp_path / "model", seed=0, trees=2, rows=400), payments(3, seed=3)
    with servers.mlserver(tmp_path / "mlserver", package.path, batch=batch) as server:
        made = servers.predictions_of(server.answer(inference_body(frame)))
    assert np.allclose(made, package.predict(frame), rtol=0, atol=1e-9)
