"""Parameters of a submission, checked against the compiled file's own inputs before anything runs.

The compiled YAML is the truth about what a pipeline takes, so it is read here as plain YAML: no kfp, no import of the
pipeline's source.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ratchet.errors import ParameterError, nearest

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
KINDS = {
    "STRING": "text",
    "NUMBER_INTEGER": "a whole number",
    "NUMBER_DOUBLE": "a number",
    "BOOLEAN": "true or false",
    "LIST": "a JSON list",
    "STRUCT": "a JSON object",
}


@dataclass(frozen=True)
class Input:
    """One declared parameter of a pipeline.

    Attributes:
        name: As in the pipeline's signature.
        kind: KFP's type name, a key of ``KINDS``.
        required: It has no default.
        help: What its docstring says.
        default: Its default, None when it has none.
    """

    name: str
    kind: str
    required: bool
    help: str
    default: Any = None


@dataclass(frozen=True)
class CompiledPipeline:
    """A compiled pipeline file: its name and what it takes."""

    path: Path
    name: str
    inputs: Mapping[str, Input]

    @classmethod
    def read(cls, path: Path) -> "CompiledPipeline":
        """Read a compiled pipeline.

        Raises:
            ParameterError: the file is not a compiled pipeline.
        """
        try:
            spec = next(yaml.load_all(path.read_text(encoding="utf-8"), Loader=LOADER))
            name = spec["pipelineInfo"]["name"]
            declared = spec["root"].get("inputDefinitions", {}).get("parameters", {})
        except (OSError, UnicodeDecodeError, yaml.YAMLError, StopIteration, KeyError, TypeError, AttributeError) as error:
            raise ParameterError(
                f"{path} is not a compiled pipeline ({error!r}); compile it, or give a name that the catalogue has"
            ) from error
        return cls(path, name, {key: _declared(key, value) for key, value in declared.items()})

    def arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a run: each known, of its declared type, none missing.

        Args:
            values: By name; texts (from the command line) are read as the declared type.

        Raises:
            ParameterError: a name is unknown, a value is not of its type, a required one is missing, a rollout's policy is none,
                or a source holds a password.
        """
        unknown = [name for name in values if name not in self.inputs]
        if unknown:
            raise ParameterError(f"pipeline {self.name!r} has no parameter {unknown[0]!r}; {nearest(unknown[0], self.inputs)}")
        missing = [name for name, item in self.inputs.items() if item.required and name not in values]
        if missing:
            shown = ", ".join(f"-p {name}=…" for name in missing)
            raise ParameterError(f"pipeline {self.name!r} needs {', '.join(repr(name) for name in missing)}; give {shown}")
        read = {name: typed(self.inputs[name], value) for name, value in values.items()}
        if {"policy", "strategy"} <= set(self.inputs):
            _check_policy(read)
        _check_sources(read)
        return read


def _check_policy(arguments: Mapping[str, Any]) -> None:
    """Refuse a rollout's policy here, and not after the training."""
    from ratchet.delivery.policy import Policy

    Policy.parse({"strategy": arguments.get("strategy", "canary"), **arguments.get("policy", {})})


def _check_sources(arguments: Mapping[str, Any]) -> None:
    """Refuse a password here: `ingest` refuses it too, but by then it stands in the run's files, or in a cluster's database."""
    from ratchet.sources.credentials import refuse_password

    joined = arguments.get("join")
    for source in (arguments.get("source"), joined.get("source") if isinstance(joined, Mapping) else None):
        if isinstance(source, str):
            refuse_password(source.strip())


def _declared(name: str, value: Mapping[str, Any]) -> Input:
    required = "defaultValue" not in value and not value.get("isOptional", False)
    return Input(name, value["parameterType"], required, value.get("description", ""), value.get("defaultValue"))


def typed(item: Input, value: Any) -> Any:
    """Return a value as its declared type.

    Raises:
        ParameterError: it is not of that type.

    >>> typed(Input("seed", "NUMBER_INTEGER", False, ""), "7")
    7
    >>> typed(Input("windows", "LIST", False, ""), '[{"over": "7d"}]')
    [{'over': '7d'}]
    >>> typed(Input("drop_columns", "LIST", False, ""), "duration, id")
    ['duration', 'id']
    """
    if item.kind == "STRING":
        if isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    elif isinstance(value, str):
        value = _from_text(item, value)
    checks = {"NUMBER_INTEGER": int, "NUMBER_DOUBLE": (int, float), "BOOLEAN": bool, "LIST": list, "STRUCT": dict}
    if item.kind in checks and isinstance(value, checks[item.kind]) and (item.kind == "BOOLEAN" or not isinstance(value, bool)):  # type: ignore[arg-type]
        return float(value) if item.kind == "NUMBER_DOUBLE" else value
    raise ParameterError(f"parameter {item.name!r} is {value!r}; it must be {KINDS.get(item.kind, item.kind)}")


def _from_text(item: Input, text: str) -> Any:
    stripped = text.strip()
    if item.kind == "BOOLEAN":
        stripped = stripped.lower()
    if item.kind == "LIST" and not stripped.startswith(("[", "{")):
        return [name.strip() for name in stripped.split(",") if name.strip()]
    try:
        value = json.loads(stripped)
    except ValueError as error:
        hint = f', e.g. -p \'{item.name}=["a", "b"]\'' if item.kind == "LIST" else ""
        raise ParameterError(f"parameter {item.name!r} is {text!r}; it must be {KINDS.get(item.kind, item.kind)}{hint}") from error
    return value


def pairs(texts: Iterable[str]) -> dict[str, str]:
    """Return ``name=value`` texts as a mapping.

    Raises:
        ParameterError: a text has no ``=``, or a name comes twice.

    >>> pairs(["model=fraud", "source=a=b.csv"])
    {'model': 'fraud', 'source': 'a=b.csv'}
    """
    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ParameterError(f"parameter {text!r} is not of the form name=value; write e.g. -p target=fraud")
        if name in values:
            raise ParameterError(f"parameter {name!r} is given twice: {values[name]!r} and {value!r}; give it once")
        values[name] = value
    return values
