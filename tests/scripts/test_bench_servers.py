"""The bench's servers start, answer as the package does, and end."""

from pathlib import Path

import numpy as np
import pytest

from scripts import bench_servers as servers
from scripts.bench_model import inference_body, payments, train


@pytest.mark.slow
def test_a_bound_answers_over_http_and_ends(tmp_path: Path) -> None:
    package, frame = train(tmp_path / "model", seed=0, trees=2, rows=400), payments(3, seed=3)
    with servers.bound(tmp_path / "bare", package.path, "bare") as server:
        made = servers.predictions_of(server.answer(inference_body(frame)))
        assert np.allclose(made, package.predict(frame), rtol=0, atol=1e-9)
    assert server.process.poll() is not None


@pytest.mark.slow
def test_a_server_that_does_not_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="nothing_of_this_name"), servers.bound(tmp_path / "app", tmp_path, "nothing_of_this_name"):
        pass
