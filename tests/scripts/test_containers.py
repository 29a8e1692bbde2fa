"""What `make containers` builds on, and what it says of an image; the images themselves are tested in tests/containers."""

import os

import pytest

from scripts.containers import base_image, describe, local_image
from tests.scripts.engines import Engine


def test_a_base_that_is_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASE", "python:3.12-slim")
    assert base_image() == "python:3.12-slim"


def test_without_debootstrap_it_is_the_dockerfile_s(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.delenv("BASE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert base_image() == ""


@pytest.mark.parametrize(
    ("size", "says"), [(650_000_000, "650 MB unpacked. "), (951_300_000, "951 MB unpacked, 251 above the aim of 700. ")]
)
def test_a_size_is_told_with_what_makes_it(monkeypatch: pytest.MonkeyPatch, tmp_path, size: int, says: str) -> None:
    engine = Engine(tmp_path / "bin")
    engine.answer("image inspect", str(size))
    engine.answer("run --rm", "264 catboost 150 polars")
    monkeypatch.setenv("PATH", f"{engine.folder}:{os.environ['PATH']}")
    assert describe("tabular") == f"{local_image('tabular')}: {says}Largest: catboost 264, polars 150"
