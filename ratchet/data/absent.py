"""How a step says "there is none yet", e.g. no champion before the first promotion.

A left-out optional artifact fails in KFP's local runner, so a step that may have nothing to give writes this mark, and a step that
may meet nothing asks for it. The mark is a folder with one file that says why, because a person will open it.
"""

from pathlib import Path

MARK = "ABSENT"


def write_absent(path: str | Path, reason: str) -> None:
    """Write the mark where an artifact would have been.

    Args:
        path: Where the artifact belongs; created as a folder.
        reason: Why there is none, for the person who opens it.
    """
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(reason.rstrip("\n") + "\n", encoding="utf-8")


def is_absent(path: str | Path) -> bool:
    """Return whether a path holds the mark.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> is_absent(folder)
    False
    >>> write_absent(folder, "no champion yet")
    >>> is_absent(folder), absent_reason(folder)
    (True, 'no champion yet')
    """
    return (Path(path) / MARK).is_file()


def absent_reason(path: str | Path) -> str:
    """Return why there is none, or an empty text where the path does not hold the mark."""
    return (Path(path) / MARK).read_text(encoding="utf-8").strip() if is_absent(path) else ""
