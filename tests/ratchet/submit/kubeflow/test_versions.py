"""What a version is called: by the checkout's commit, else by the package's version, and always by the file's bytes."""

import hashlib
import subprocess
from pathlib import Path

from ratchet import __version__
from ratchet.submit.kubeflow.versions import version_name


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    return subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True).stdout.strip()


def test_a_tracked_file_is_named_by_its_commit_and_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes(b"a: 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "p.yaml")
    git(tmp_path, "commit", "-qm", "one")
    digest = hashlib.sha256(b"a: 1\n").hexdigest()[:12]
    assert version_name(file) == f"{git(tmp_path, 'rev-parse', '--short', 'HEAD')}-{digest}"
    git(tmp_path, "tag", "v1.2.0")
    assert version_name(file) == f"v1.2.0-{digest}"
    file.write_bytes(b"a: 2\n")
    assert version_name(file) == f"v1.2.0-dirty-{hashlib.sha256(b'a: 2' + bytes([10])).hexdigest()[:12]}"


def test_a_file_outside_any_checkout_is_named_by_the_package_and_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes(b"a: 1\n")
    assert version_name(file) == f"{__version__}-{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"


def test_an_untracked_file_in_a_checkout_is_not_the_commit_s(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-qm", "one", "--allow-empty")
    file = tmp_path / "p.yaml"
    file.write_bytes(b"a: 1\n")
    assert version_name(file).startswith(f"{__version__}-")
