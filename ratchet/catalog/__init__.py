"""The compiled components and pipelines, by name, for anybody's own pipeline.

    from kfp import dsl
    from ratchet import catalog

    drift_check = catalog.load("drift_check")

    @dsl.pipeline
    def nightly(source: str): ...

The files are those of ``compiled/``: the wheel carries them beside this module, a checkout has them at its root. They are
compiled once, when they are released, so that what a team composes is byte for byte what was tested, and loading needs
nothing of what a step needs.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from ratchet.errors import ParameterError, nearest

if TYPE_CHECKING:
    from kfp.dsl import YamlComponent

_HERE = Path(__file__).resolve().parent


def names() -> tuple[str, ...]:
    """Return the names of all components, sorted.

    >>> "drift_check" in names()
    True
    """
    return _names("components")


def pipeline_names() -> tuple[str, ...]:
    """Return the names of all pipelines, sorted.

    >>> "delivery" in pipeline_names()
    True
    """
    return _names("pipelines")


def path(name: str) -> Path:
    """Return the compiled YAML file of a component.

    Args:
        name: The component's name, e.g. ``"drift_check"``.

    Raises:
        ParameterError: there is no such component.

    >>> path("drift_check").name
    'drift_check.yaml'
    >>> path("drift_chek")
    Traceback (most recent call last):
    ratchet.errors.ParameterError: no component 'drift_chek' in the catalogue; did you mean 'drift_check'?
    """
    return _path("component", name)


def pipeline_path(name: str, *, kubeflow: bool = False) -> Path:
    """Return the compiled YAML file of a pipeline: what ``ratchet submit`` runs.

    Args:
        name: The pipeline's name, e.g. ``"delivery"``.
        kubeflow: The file for Kubeflow, which also says what its pods are given; else the portable one, for a laptop and Vertex AI.

    Raises:
        ParameterError: there is no such pipeline.

    >>> pipeline_path("delivery", kubeflow=True).parent.name
    'kubeflow'
    """
    portable = _path("pipeline", name)
    return portable.parents[1] / "kubeflow" / portable.name if kubeflow else portable


def load(name: str) -> "YamlComponent":
    """Return a component, ready to be called in a ``@dsl.pipeline``.

    Args:
        name: The component's name, e.g. ``"drift_check"``.

    Raises:
        ParameterError: there is no such component.

    >>> load("drift_check").component_spec.inputs["threshold"].type
    'Float'
    """
    file = path(name)
    from kfp import components

    return components.load_component_from_file(str(file))


def _path(kind: str, name: str) -> Path:
    known = _names(f"{kind}s")
    if name not in known:
        raise ParameterError(f"no {kind} {name!r} in the catalogue; {nearest(name, known)}")
    return _compiled() / f"{kind}s" / f"{name}.yaml"


def _names(folder: str) -> tuple[str, ...]:
    return tuple(sorted(file.stem for file in (_compiled() / folder).glob("*.yaml")))


def _compiled() -> Path:
    installed = _HERE / "compiled"
    return installed if installed.is_dir() else _HERE.parents[1] / "compiled"
