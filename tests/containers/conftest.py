"""An engine and the images that `make containers` has built; without either, these tests skip and say why."""

import subprocess
from collections.abc import Callable

import pytest

from scripts.containers import local_image


@pytest.fixture(scope="session")
def built() -> Callable[[str], str]:
    """Return a finder of a family's local image; a test skips, saying so, where there is no engine or no image."""

    def find(family: str) -> str:
        reference = local_image(family)
        try:
            asked = subprocess.run(["docker", "image", "inspect", reference], capture_output=True, text=True)
        except FileNotFoundError:
            pytest.skip("no docker command here; `make containers` says what it needs")
        if asked.returncode != 0:
            said = asked.stderr.strip().splitlines() or [f"no image {reference}"]
            pytest.skip(f"{said[-1]}; `make containers` starts an engine and builds the images")
        return reference

    return find
