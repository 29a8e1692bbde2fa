"""The name of a pipeline's version on a server: where its file comes from, and what is in it.

The digest makes the name immutable: the same name is the same file, byte for byte, so that a version that is there already is used and
nothing is ever overwritten.
"""

import hashlib
import subprocess
from pathlib import Path

from ratchet import __version__

DIGITS = 12


def version_name(file: Path) -> str:
    """Return the name of the version that a compiled file is.

    Args:
        file: The compiled pipeline.

    Returns:
        ``git describe`` of the checkout that tracks the file, or the package's version where none does, and the file's digest.
    """
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:DIGITS]
    return f"{_described(file.resolve()) or __version__}-{digest}"


def _described(file: Path) -> str:
    """Return what git calls the checkout; empty where the file is in none, or is not tracked, or there is no git."""
    git = ["git", "-C", str(file.parent)]
    try:
        subprocess.run([*git, "ls-files", "--error-unmatch", file.name], check=True, capture_output=True)  # noqa: S603 (no shell)
        done = subprocess.run([*git, "describe", "--always", "--tags", "--dirty"], check=True, capture_output=True, text=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
