"""The bench's stopwatch charges each part its own time, and leaves everything as it was."""

import asyncio
import time
from pathlib import Path

from ratchet.delivery.ledger import Ledger, ModelRef
from ratchet.features.spec import FeatureSpec
from ratchet.settings import Settings
from scripts.bench_cost import REST, Stopwatch, gateway_parts, model_costs
from scripts.bench_model import inference_body, payments, train


def spin(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_what_is_timed_inside_is_not_charged_to_what_is_around_it() -> None:
    watch = Stopwatch()
    inner = watch.around("inner", lambda: spin(0.05))

    async def outer() -> None:
        inner()

    asyncio.run(watch.around("outer", outer)())
    assert watch.seconds["inner"] >= 0.05
    assert watch.seconds["outer"] < watch.seconds["inner"]


def test_every_part_of_a_request_is_met_in_the_gateway(tmp_path: Path) -> None:
    package = train(tmp_path / "model", seed=0, trees=2, rows=400)
    home, matrix = tmp_path / "home", FeatureSpec.matrix
    ref = ModelRef("1", package.digest, str(package.path))
    Ledger.open(Settings(home=home)).promote("bench", ref, generation=0, who="the test", why="to be measured")
    parts = gateway_parts(home, "bench", [inference_body(payments(2, seed=1))], requests=32)
    known = {"parse and check the body", "one table of a batch", "features", "model", "record", "write the answer", "metrics", REST}
    assert set(parts) == known
    assert all(parts[part] > 0 for part in known - {REST})
    assert FeatureSpec.matrix is matrix
    assert min(model_costs(package, payments(2, seed=1), repeats=3)) > 0
