"""What the live model asks of new data: its target's meaning, its windows, the rows that it has seen.

Only ``ratchet.json`` of its package is read here; a package is verified where it is loaded to predict.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from ratchet.data.absent import is_absent
from ratchet.errors import ExpressionError, PackageError
from ratchet.features.spec import FeatureSpec
from ratchet.features.target import Target
from ratchet.features.windows import Window


def read_live_spec(champion_path: str | Path | None) -> FeatureSpec | None:
    """Return the specification in the live model's package, or None where there is no live model.

    Raises:
        PackageError: the package holds no specification.
    """
    if champion_path is None or is_absent(champion_path):
        return None
    try:
        return FeatureSpec.from_dict(json.loads((Path(champion_path) / "ratchet.json").read_text(encoding="utf-8"))["spec"])
    except (OSError, ValueError, KeyError) as error:
        raise PackageError(f"champion {str(champion_path)!r} is no model package ({error}); pass what the champion step wrote") from error


def read_training_digest(champion_path: str | Path | None) -> str:
    """Return the content digest of the rows that trained the live model; empty where there is no live model."""
    if champion_path is None or is_absent(champion_path):
        return ""
    described = json.loads((Path(champion_path) / "ratchet.json").read_text(encoding="utf-8"))
    return str(described.get("training_digest", ""))


def live_target(live: FeatureSpec | None) -> Target | None:
    """Return what the live model predicts, or None where there is no live model."""
    return Target(live.target, live.task, live.classes) if live else None


def with_live_windows(own: Sequence[Window], live: FeatureSpec | None) -> list[Window]:
    """Return the windows of the challenger, then those that only the live model needs.

    Raises:
        ExpressionError: both have a window of one name, and they differ.
    """
    by_name = {window.name: window for window in own}
    for window in live.windows if live else ():
        if by_name.setdefault(window.name, window) != window:
            raise ExpressionError(
                f"window {window.name!r} is defined otherwise in the live model ({window}); give the new definition a new name, "
                f"so that both can be computed"
            )
    return list(by_name.values())
