"""Fixtures that every test may ask for."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.postgres import PostgreSQL

settings.register_profile("shared machine", deadline=None)  # nothing is asserted about time
settings.register_profile("fast", deadline=None, max_examples=25)  # the inner loop's, `make test-fast`
settings.load_profile("shared machine")

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Return a finder of files in the real data sets beside the checkout; a test skips, saying so, where one is absent."""

    def find(name: str) -> Path:
        path = REAL_DATA / name
        if not path.exists():
            pytest.skip(f"real data set {name} is not there; put the data sets beside the checkout, in ../shared/data")
        return path

    return find


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """Return a real PostgreSQL that lives as long as the tests; `new_database` starts it again where a test has killed it."""
    server = PostgreSQL()
    yield server
    server.stop()
