"""The schema of a table: what a person reviewed and what new data is held against.

It is one YAML file with what is enforced written out in full: a bound in it is the bound, with no hidden tolerance added later, so that a
reviewer who tightens a number gets that number. An empty mapping stands for "no schema yet".
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratchet.data.absent import is_absent
from ratchet.data.kinds import DTYPES
from ratchet.errors import SchemaError, nearest

if TYPE_CHECKING:
    import polars as pl

HEADER = """\
# Schema of the data, as validate enforces it. Made from the first data seen; review it, then edit it freely.
#   type         integer, number, boolean, string or datetime
#   max_missing  largest share of missing values; 0 sets every row without a value aside
#   minimum, maximum   rows outside are set aside (made from what was seen, widened so that ordinary new rows fit)
#   categories   rows with another value are set aside; remove the list to allow any value
#   scale        quartiles of the absolute values other than 0; another unit (cents for units) makes the data invalid
#   labels       share of each value of the target; a multiple of it makes the data invalid
"""


@dataclass(frozen=True, slots=True)
class ColumnSchema:
    """What one column must look like.

    Attributes:
        type: "integer", "number", "boolean", "string" or "datetime".
        max_missing: Largest share of missing values, 0 to 1. At 0 each row without a value is set aside.
        minimum: Smallest value allowed; None for no bound.
        maximum: Largest value allowed; None for no bound.
        categories: The values allowed; None for any.
        scale: Quartiles of the absolute values other than 0, ascending; None where the unit is not checked.
    """

    type: str
    max_missing: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] | None = None
    scale: tuple[float, float, float] | None = None

    @property
    def nullable(self) -> bool:
        """Whether a row may lack a value here."""
        return self.max_missing > 0


@dataclass(frozen=True, slots=True)
class Schema:
    """What a table must look like.

    Attributes:
        columns: By name, in the order of the table.
        key: Columns that together name a row; empty for none.
        time: Column of times; empty for none.
        target: Column to predict; empty for none.
        labels: Share of each value of the target, for classification; empty otherwise.
        min_rows: Fewest rows that are worth training on.
    """

    columns: Mapping[str, ColumnSchema]
    key: tuple[str, ...] = ()
    time: str = ""
    target: str = ""
    labels: Mapping[str, float] | None = None
    min_rows: int = 0

    @classmethod
    def infer(cls, frame: "pl.DataFrame", key: Sequence[str] = (), time: str = "", target: str = "") -> "Schema":
        """Return the schema that a first look at the data suggests; see `ratchet.data.inference`."""
        from ratchet.data.inference import infer_schema

        return infer_schema(frame, key=key, time=time, target=target)

    @classmethod
    def read(cls, path: str | Path) -> "Schema | None":
        """Return the schema in a file; None where the file holds an empty mapping, or the path the mark of absence.

        Raises:
            SchemaError: it cannot be read, or says something that is not part of a schema.
        """
        if is_absent(path):
            return None
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SchemaError(f"schema {str(path)!r} cannot be read: {error}; give the path of a YAML file") from error
        return cls.parse(text, where=str(path))

    @classmethod
    def parse(cls, text: str, *, where: str = "schema") -> "Schema | None":
        """Return the schema in a YAML text; None where it is an empty mapping.

        Args:
            text: YAML.
            where: What to call it in errors.

        Raises:
            SchemaError: it is no schema; the message names the place.

        >>> schema = Schema.parse("columns: {amount: {type: number, minimum: 0}}")
        >>> schema.columns["amount"].minimum
        0
        >>> Schema.parse("{}") is None
        True
        """
        import yaml

        try:
            document = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise SchemaError(f"{where} is not YAML: {error}; compare it with a schema that validate wrote") from error
        return _from_document(document, where) if document else None

    def text(self) -> str:
        """Return the schema as the YAML that people review."""
        import yaml

        return HEADER + yaml.safe_dump(_to_document(self), sort_keys=False, allow_unicode=True, width=140, default_flow_style=None)

    def write_yaml(self, path: str | Path) -> None:
        """Write the schema for review."""
        Path(path).write_text(self.text(), encoding="utf-8")

    @property
    def digest(self) -> str:
        """Digest of everything that is enforced; comments and layout do not count."""
        canonical = json.dumps(_to_document(self), sort_keys=True, ensure_ascii=False)
        return "schema:" + hashlib.sha256(canonical.encode()).hexdigest()[:40]

    def with_roles(self, *, key: Sequence[str] = (), time: str = "", target: str = "") -> "Schema":
        """Return the schema with the roles that are given; those left empty stay."""
        return replace(self, key=tuple(key) or self.key, time=time or self.time, target=target or self.target)


def _to_document(schema: Schema) -> dict[str, Any]:
    roles = {"key": list(schema.key), "time": schema.time, "target": schema.target, "min_rows": schema.min_rows}
    document: dict[str, Any] = {name: value for name, value in roles.items() if value}
    if schema.labels:
        document["labels"] = dict(schema.labels)
    document["columns"] = {name: _column_document(column) for name, column in schema.columns.items()}
    return document


def _column_document(column: ColumnSchema) -> dict[str, Any]:
    document: dict[str, Any] = {"type": column.type, "max_missing": column.max_missing}
    document |= {name: value for name in ("minimum", "maximum") if (value := getattr(column, name)) is not None}
    document |= {name: list(value) for name in ("categories", "scale") if (value := getattr(column, name)) is not None}
    return document


def _from_document(document: Any, where: str) -> Schema:
    fields = _mapping(document, where, ("key", "time", "target", "min_rows", "labels", "columns"))
    columns = fields.get("columns")
    if not isinstance(columns, dict) or not columns:
        raise SchemaError(f"{where} lists no columns; give a mapping 'columns' of names to types")
    parsed = {str(name): _column(value, f"{where}: column {name!r}") for name, value in columns.items()}
    key = fields.get("key", [])
    key = (key,) if isinstance(key, str) else tuple(map(str, key))
    time, target = str(fields.get("time", "")), str(fields.get("target", ""))
    for name in (*key, *filter(None, (time, target))):
        if name not in parsed:
            raise SchemaError(f"{where}: {name!r} is named as key, time or target but is not under 'columns'; {nearest(name, parsed)}")
    labels = {
        str(name): _number(share, f"{where}: label {name!r}") for name, share in _mapping(fields.get("labels", {}), where, None).items()
    }
    return Schema(parsed, key, time, target, labels, int(_number(fields.get("min_rows", 0), f"{where}: min_rows")))


def _column(value: Any, where: str) -> ColumnSchema:
    fields = _mapping(value, where, tuple(ColumnSchema.__dataclass_fields__))
    kind = fields.get("type")
    if kind not in DTYPES:
        raise SchemaError(f"{where}: type {kind!r} is none; {nearest(str(kind), DTYPES)}")
    missing = _number(fields.get("max_missing", 0.0), f"{where}: max_missing")
    if not 0 <= missing <= 1:
        raise SchemaError(f"{where}: max_missing is {missing}; it is a share, from 0 to 1")
    low, high = (None if fields.get(name) is None else _number(fields[name], f"{where}: {name}") for name in ("minimum", "maximum"))
    if low is not None and high is not None and low > high:
        raise SchemaError(f"{where}: minimum {low} is above maximum {high}; swap them")
    categories, scale = fields.get("categories"), fields.get("scale")
    if categories is not None and (not isinstance(categories, list) or not categories):
        raise SchemaError(f"{where}: categories is {categories!r}; give a list of values, or leave it out to allow any")
    if scale is not None and (not isinstance(scale, list) or len(scale) != 3):
        raise SchemaError(f"{where}: scale is {scale!r}; give the three quartiles, or leave it out")
    quartiles = None if scale is None else tuple(_number(part, f"{where}: scale") for part in scale)
    names = None if categories is None else tuple(map(_category, categories))
    return ColumnSchema(str(kind), missing, low, high, names, quartiles)  # type: ignore[arg-type]


def _category(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)  # YAML reads an unquoted yes as true


def _mapping(value: Any, where: str, known: tuple[str, ...] | None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SchemaError(f"{where} is a {type(value).__name__}; it must be a mapping of names to values")
    for name in value:
        if known is not None and name not in known:
            raise SchemaError(f"{where}: unknown entry {name!r}; {nearest(str(name), known)}")
    return value


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise SchemaError(f"{where} is {value!r}; it must be a number")
    return value
