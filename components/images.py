"""Which container image a component runs in: a family's name, resolved by one lock file.

Compilation reads nothing else, so that what is compiled is what was pushed. ``images.lock.yaml`` holds ``repository@sha256`` for a
release and ``repository:tag`` before one.
"""

from functools import cache
from pathlib import Path

import yaml

LOCK = Path(__file__).resolve().parents[1] / "images.lock.yaml"


@cache
def _locked() -> dict[str, str]:
    return dict(yaml.safe_load(LOCK.read_text(encoding="utf-8"))["images"])


def image(family: str) -> str:
    """Return the image reference of a family.

    Raises:
        KeyError: the lock file has no such family.

    >>> image("tabular").rpartition("/")[2].startswith("ratchet-tabular")
    True
    """
    families = _locked()
    if family not in families:
        raise KeyError(f"image family {family!r} is not in {LOCK.name}; known: {', '.join(sorted(families))}")
    return families[family]
