"""The file of ``--config``: a pipeline's parameters, and beside them where and how it is submitted.

The keys are the pipeline's own parameters, so that a file for a laptop is nothing but a list of them. Two keys are reserved, and no
pipeline may have parameters of these names: ``kubeflow`` and ``vertex``, a mapping each, which the place that is meant reads and the
others do not look at. So one file serves all places.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ratchet.errors import ParameterError

PLACES = ("kubeflow", "vertex")


@dataclass(frozen=True)
class Configuration:
    """What a configuration file says.

    Attributes:
        parameters: The pipeline's parameters, not checked yet.
        kubeflow: Where and how to submit to Kubeflow; what it may say is checked by `ratchet.submit.kubeflow`.
        vertex: The same for Vertex AI, by `ratchet.submit.vertex`.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    kubeflow: Mapping[str, Any] = field(default_factory=dict)
    vertex: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Configuration":
        """Read a configuration file.

        Args:
            path: A YAML mapping.

        Raises:
            ParameterError: the file cannot be read or is not a mapping, or the section of a place is none.
        """
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            told = " ".join(str(error).split())
            raise ParameterError(f"configuration {str(path)!r} cannot be read: {told}; give the path of a YAML mapping") from error
        if not isinstance(values, dict):
            raise ParameterError(f"configuration {str(path)!r} holds a {type(values).__name__}; it must be a mapping of parameter to value")
        named = {str(name): value for name, value in values.items()}
        places = {place: _section(path, place, named.pop(place, None)) for place in PLACES}
        return cls(named, **places)


def _section(path: Path, place: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ParameterError(
            f"configuration {str(path)!r} says {place}: {value!r}; it must be a mapping of setting to value (docs/submit.md lists them)"
        )
    return {str(name): item for name, item in value.items()}
