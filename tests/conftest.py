"""Fixtures that every test may ask for, and which test files are not even read."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from _pytest.mark.expression import Expression
from hypothesis import settings

from tests.postgres import PostgreSQL

settings.register_profile("shared machine", deadline=None)  # nothing is asserted about time
settings.register_profile("fast", deadline=None, max_examples=25)  # the inner loop's, `make test-fast`
settings.load_profile("shared machine")

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a file all of whose tests ``-m "not …"`` leaves out, and one of no tests: their imports take seconds."""
    wanted: str = config.option.markexpr
    if collection_path.suffix != ".py":
        return None
    if not collection_path.name.startswith("test_"):
        return True
    if not wanted.startswith("not "):
        return None
    found = re.search(r"^pytestmark = (.+)$", collection_path.read_text(encoding="utf-8"), re.MULTILINE)
    marks = re.findall(r"pytest\.mark\.(\w+)", found[1]) if found else []
    return True if marks and not Expression.compile(wanted).evaluate(lambda name, **_: name in marks) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with whole pipelines: of several workers none is left alone at the end with the longest files."""
    items.sort(key=lambda item: item.get_closest_marker("pipeline") is None)


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
