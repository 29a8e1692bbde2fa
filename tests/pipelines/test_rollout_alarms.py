"""A rollout where nobody ever says what a request was: a real gateway, its recorded errors, and a judge that goes by alarms."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ratchet.data.tables import write_dataset
from ratchet.delivery.beginning import settle_loss
from ratchet.delivery.ledger import ModelRef
from ratchet.delivery.promotion import promote_in_run
from ratchet.delivery.registry import Lineage, register_model
from ratchet.features.spec import FeatureSpec
from ratchet.settings import Settings
from tests.autoencoders import linear_package
from tests.pipelines.rollout_clients import NAME
from tests.pipelines.rollout_world import Advancer, Live, live, until

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

SPEC = FeatureSpec("anomaly", "", dict.fromkeys("abc", "number"), ("a", "b", "c"), classes=("normal", "anomaly"))
MIXING = np.array([[1.0, 0.5, 0.2], [0.0, 1.0, 0.3], [0.0, 0.0, 0.1]])


def readings(rows: int, seed: int) -> pl.DataFrame:
    """Readings that two causes and a little noise make."""
    return pl.DataFrame(np.random.default_rng(seed).normal(size=(rows, 3)) @ MIXING, schema=["a", "b", "c"])


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, tuple[ModelRef, ...]]:
    """Registered without labels: a champion, one as quiet, learnt on other rows, and one whose threshold one row in five reaches."""
    folder = tmp_path_factory.mktemp("alarms")
    settings, models = Settings(home=folder / "home"), []
    write_dataset(readings(400, 0), folder / "reference", source="the test")
    (folder / "schema.yaml").write_text("columns: {a: {type: number}, b: {type: number}, c: {type: number}}\n", encoding="utf-8")
    for number, (seed, share) in enumerate([(0, None), (1, None), (2, 0.8)]):
        rows = readings(2_000, seed)
        package = linear_package(folder / str(number), SPEC, rows, seed=number)
        if share is not None:
            threshold = float(np.quantile(package.predict(rows), share))
            package = linear_package(folder / f"{number}-noisy", SPEC, rows, threshold=threshold, seed=number)
        lineage = Lineage(NAME, 0, "run", {}, {})
        models.append(register_model(package.path, folder / "reference", folder / "schema.yaml", lineage=lineage, settings=settings))
    return settings, tuple(models)


@pytest.fixture(scope="module")
def gateway(versions: tuple[Settings, tuple[ModelRef, ...]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("live") / "home", *versions) as made:
        yield made


@contextmanager
def asked(gateway: Live) -> Iterator[list[dict]]:
    """Send normal readings, forty at a time and no label ever, while the block runs; gives the answers."""
    answers, stop = [], threading.Event()

    def ask() -> None:
        for seed in range(10_000):
            if stop.is_set():
                return
            status, answer = gateway.gateway.post(f"/predict/{NAME}", {"rows": readings(40, 100 + seed).to_dicts()})
            answers.append({"status": status, **answer})
            time.sleep(0.02)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        stop.set()
        thread.join(60)


def verdict_of(gateway: Live, challenger: ModelRef, prefix: str) -> dict[str, str]:
    """Try a challenger and return the first verdict that is not to wait."""
    champion = gateway.ledger.deployment(NAME).champion
    assert champion is not None
    loss = settle_loss({"kind": "auto"}, champion, challenger, gateway.settings)
    gateway.begin("shadow", challenger=challenger, loss=loss, strategy="blue_green")
    advancer = Advancer(gateway.settings, prefix)
    try:

        def decided() -> dict[str, str] | None:
            return next((said for said in advancer.told if said.get("verdict", "pending") != "pending"), None)

        return until(decided, 120, lambda: advancer.told[-1:])
    finally:
        advancer.kill()


def test_a_challenger_that_alarms_too_often_is_gone_without_a_label(gateway: Live, versions) -> None:
    with asked(gateway) as answers:
        said = verdict_of(gateway, versions[1][2], "noisy")
    assert said["verdict"] == "abort", said
    assert said["reason"].startswith("loss")
    assert gateway.ledger.deployment(NAME).challenger is None
    assert {answer["status"] for answer in answers} == {200}
    assert {answer["version"] for answer in answers} == {"1"}


def test_one_that_alarms_as_rarely_is_promoted_without_a_label(gateway: Live, versions) -> None:
    with asked(gateway) as answers:
        said = verdict_of(gateway, versions[1][1], "quiet")
        assert said["verdict"] == "promote", said
        state = gateway.ledger.deployment(NAME)
        promote_in_run(NAME, "2", generation=state.generation, run_id=said["run"], why=said["reason"], ledger=gateway.ledger)
        until(lambda: answers[-1]["version"] == "2", 30)
    assert {answer["status"] for answer in answers} == {200}
    assert not list(Path(gateway.settings.traffic_folder()).rglob("labels/**/*.parquet"))
