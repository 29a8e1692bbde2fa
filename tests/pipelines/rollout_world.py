"""Installations for the tests of a live rollout: small real models, a running gateway, and clients that note every failure."""

import pytest

from ratchet.delivery.ledger import ModelRef
from tests.ratchet.serving.conftest import small_package


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelRef, ...]:
    """Two versions in a store that no test may change: "1", a champion, and "2"."""
    folder = tmp_path_factory.mktemp("models")
    made = []
    for number in (1, 2):
        path, digest = small_package(folder / str(number) / "model", seed=number - 1)
        made.append(ModelRef(str(number), digest, str(path)))
    return tuple(made)
