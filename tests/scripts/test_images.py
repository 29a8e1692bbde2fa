"""From a built image to a line in the lock, and what a release refuses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts.images import LOCK, problems, references, repository, write_lock
from tests.scripts.engines import Engine

ROOT = Path(__file__).resolve().parents[2]
DIGEST = "sha256:" + "0a" * 32
HEADER = "# Written by the release.\n"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path / "bin")


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "images.lock.yaml"
    path.write_text(f"{HEADER}images:\n  tabular: ghcr.io/a/r-tabular:0.1.0\n  gateway: ghcr.io/a/r-gateway:0.1.0\n", encoding="utf-8")
    return path


def images(engine: Engine, lock: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.images", *arguments, "--lock-file", str(lock)]
    return subprocess.run(command, cwd=ROOT, env=engine.environment, capture_output=True, text=True)


def pushed(*digests: str) -> str:
    """What the engine tells about an image's digests."""
    return json.dumps(list(digests))


def test_a_build_names_family_version_revision_and_base(engine: Engine, lock: Path) -> None:
    done = images(engine, lock, "build", "gateway", "--tag", "7", "--base", "python@sha256:1")
    assert done.returncode == 0, done.stderr
    (asked,) = engine.asked
    assert asked.startswith("build --tag ghcr.io/a/r-gateway:7 ")
    for value in ("FAMILY=gateway", "VERSION=0.", "REVISION=", "BASE=python@sha256:1"):
        assert f"--build-arg {value}" in asked


def test_each_family_is_pushed_to_its_repository(engine: Engine, lock: Path) -> None:
    assert images(engine, lock, "push", "--tag", "7", "--registry", "localhost:5000/b/").returncode == 0
    assert engine.asked == ["push localhost:5000/b/r-tabular:7", "push localhost:5000/b/r-gateway:7"]


def test_a_failed_push_fails_and_locks_nothing(engine: Engine, lock: Path) -> None:
    before = lock.read_text(encoding="utf-8")
    engine.answer("push", "denied: requested access to the resource is denied", 1)
    assert images(engine, lock, "push").returncode != 0
    assert lock.read_text(encoding="utf-8") == before


def test_the_digest_of_the_image_s_own_repository_is_locked(engine: Engine, lock: Path) -> None:
    engine.answer("r-tabular:7", pushed(f"ghcr.io/elsewhere/r-tabular@sha256:{'ff' * 32}", f"ghcr.io/a/r-tabular@{DIGEST}"))
    assert images(engine, lock, "lock", "tabular", "--tag", "7").returncode == 0
    text = lock.read_text(encoding="utf-8")
    assert text.startswith(HEADER)
    assert yaml.safe_load(text)["images"] == {"tabular": f"ghcr.io/a/r-tabular@{DIGEST}", "gateway": "ghcr.io/a/r-gateway:0.1.0"}


def test_after_locking_a_release_is_in_order_and_the_repositories_are_known(engine: Engine, lock: Path) -> None:
    for family in ("tabular", "gateway"):
        engine.answer(f"r-{family}:", pushed(f"ghcr.io/a/r-{family}@{DIGEST}"))
    assert images(engine, lock, "check", "--release").returncode == 1
    assert images(engine, lock, "lock").returncode == 0
    assert images(engine, lock, "check", "--release").returncode == 0
    assert repository("gateway", lock=lock) == "ghcr.io/a/r-gateway"


def test_one_family_that_was_not_pushed_leaves_the_lock_as_it_was(engine: Engine, lock: Path) -> None:
    before = lock.read_text(encoding="utf-8")
    engine.answer("r-tabular", pushed(f"ghcr.io/a/r-tabular@{DIGEST}"))
    engine.answer("r-gateway", pushed())
    done = images(engine, lock, "lock")
    assert done.returncode == 1
    assert "ghcr.io/a/r-gateway:0.1.0 has 0 digests in its repository; push it first" in done.stderr
    assert lock.read_text(encoding="utf-8") == before


def test_an_image_that_the_engine_does_not_have_is_named(engine: Engine, lock: Path) -> None:
    engine.answer("r-tabular:0", "Error: No such image: ghcr.io/a/r-tabular:0.1.0", 1)
    done = images(engine, lock, "lock", "tabular")
    assert done.returncode == 1
    assert "No such image: ghcr.io/a/r-tabular:0.1.0; build and push it first" in done.stderr


def test_a_release_refuses_a_tag_naming_family_and_reference(engine: Engine, lock: Path) -> None:
    write_lock({"gateway": f"ghcr.io/a/r-gateway@{DIGEST}"}, lock)
    done = images(engine, lock, "check", "--release")
    assert done.returncode == 1
    assert done.stderr == ("images: tabular: ghcr.io/a/r-tabular:0.1.0 is a tag, which can be moved; a release needs repository@sha256:…\n")
    assert images(engine, lock, "check").returncode == 0


@pytest.mark.parametrize(
    "reference", ["ghcr.io/a/tabular", "ghcr.io/a/tabular@sha256:12", f"ghcr.io/a/tabular@{DIGEST}0", "tabular", "GHCR.io/a/tabular:1"]
)
def test_what_is_no_reference_is_refused_even_before_a_release(reference: str) -> None:
    (said,) = problems({"tabular": reference}, release=False)
    assert said == f"tabular: {reference!r} is neither repository:tag nor repository@sha256:…"


def test_a_family_without_a_lock_of_packages_is_named() -> None:
    assert problems({"deeper": "ghcr.io/a/deeper:1"}, release=False)[0].startswith("deeper: no requirements/deeper.txt")


def test_an_unknown_family_is_refused_with_the_known_ones(engine: Engine, lock: Path) -> None:
    done = images(engine, lock, "build", "tabluar")
    assert done.returncode == 1
    assert "no family 'tabluar' in images.lock.yaml; known: gateway, tabular" in done.stderr
    assert engine.asked == []


def test_the_lock_of_this_checkout_is_in_order_and_every_family_has_its_stages() -> None:
    assert problems(references(), release=False) == []
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for family in references(LOCK):
        assert f" AS command-{family}\n" in dockerfile
        assert f"        {family}) folders=" in dockerfile
