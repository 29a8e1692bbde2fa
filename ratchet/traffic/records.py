"""What is recorded of live traffic: what a model answered, and a label that came for it later.

A record is written as a JSON list, not as an object: names that repeat in every record would double the file. Serving comes first, so
nothing that a client sends can make a record impossible to write. What JSON cannot hold is changed, always in the same way: a number
that is not finite is null in the inputs and comes back as NaN in a prediction, half a surrogate pair becomes its escape (``\\ud800``),
an integer beyond 64 bits and a value of any other type become text, and nesting deeper than 50 levels is cut.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, ClassVar, cast

import orjson

from ratchet.errors import StoreError
from ratchet.traffic.answers import ABSENT, SHARED, Answers, Prediction

__all__ = ["Answers", "Label", "Prediction", "Record", "decode", "encode", "label_text"]

DEPTH = 50
FELL_BACK = "; the champion answered"  # ends the error of a request that the challenger was to answer
_LARGEST = 2**63 - 1
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY


@dataclass(frozen=True, slots=True)
class Label:
    """What turned out to be true of one request row.

    Attributes:
        request_id: Of the row.
        time: When the event that it tells of was known, in Unix seconds.
        received: When it reached the gateway, in Unix seconds.
        deployment: E.g. "fraud".
        label: A class name, a number or a truth value.
    """

    kind: ClassVar[str] = "l1"
    count: ClassVar[int] = 1

    request_id: str
    time: float
    received: float
    deployment: str
    label: str | float | int | bool


Record = Prediction | Answers | Label

_FIELDS = {kind.kind: attrgetter("kind", *(field.name for field in fields(kind))) for kind in (Prediction, Answers, Label)}


def encode(record: Record) -> bytes:
    """Return a record as JSON; the module's docstring says what becomes of that which JSON cannot hold.

    >>> encode(Label("a", 1.0, 2.0, "fraud", True))
    b'["l1","a",1.0,2.0,"fraud",true]'
    """
    values = _FIELDS[record.kind](record)
    try:
        return orjson.dumps(values, default=_known, option=_OPTIONS)
    except (TypeError, RecursionError):  # rare, so the common case pays nothing for it
        return orjson.dumps([_storable(field, DEPTH) for field in values])


def decode(payload: bytes) -> Record:
    """Return the record that `encode` wrote.

    Raises:
        StoreError: it is of a kind that this version does not know: a newer version wrote it.
        ValueError: it is no record.

    >>> decode(encode(Label("a", 1.0, 2.0, "fraud", True)))
    Label(request_id='a', time=1.0, received=2.0, deployment='fraud', label=True)
    """
    found = orjson.loads(payload)
    if not isinstance(found, list) or not found or not isinstance(found[0], str):
        raise ValueError("not a record")
    kind, *values = found
    make = _MAKERS.get(kind)
    if make is None:
        raise StoreError(f"a record of kind {kind!r} is unknown here; let the version of Ratchet that wrote it, or a later one, read it")
    try:
        return make(*values)
    except TypeError as error:
        raise ValueError(f"not a {kind} record: {error}") from error


def label_text(label: str | float | int | bool) -> str:
    """Return a label as a class name: whole numbers without a point, truth values as true and false (as training names its classes).

    >>> label_text(1.0), label_text(True), label_text("yes"), label_text(0.5)
    ('1', 'true', 'yes', '0.5')
    """
    if isinstance(label, bool):
        return "true" if label else "false"
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    return str(label)


def _prediction(*values: Any) -> Prediction:
    request_id, time, deployment, version, role, phase, percent, generation, rollout, served, unit, inputs, numbers, latency, error = values
    if inputs is not None and not isinstance(inputs, dict):
        raise ValueError("inputs are no mapping")
    return Prediction(
        str(request_id),
        _number(time),
        str(deployment),
        str(version),
        str(role),
        str(phase),
        _whole(percent),
        _whole(generation),
        _whole(rollout),
        bool(served),
        str(unit),
        inputs,
        tuple(_number(number) for number in numbers),
        _number(latency),
        str(error),
    )


def _answers(*values: Any) -> Answers:
    count, request_id, *shared, unit, inputs, prediction, latency, error = values
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"{count!r} is no number of rows")
    one = _prediction(request_id, *shared, "", None, (), latency, error)
    if not (isinstance(inputs, dict | None) and isinstance(prediction, list | None) and isinstance(unit, str | list)):
        raise ValueError("inputs, prediction or unit are not what they should be")
    columns = None if inputs is None else {name: [ABSENT if it == [] else it for it in column] for name, column in inputs.items()}
    made = None if prediction is None else [[_number(it) for it in row] if isinstance(row, list) else _number(row) for row in prediction]
    units = unit if isinstance(unit, str) else [str(it) for it in unit]
    for part in (units, made, *(columns or {}).values()):
        if isinstance(part, list) and len(part) != count:
            raise ValueError(f"{len(part)} values for {count!r} rows")
    checked: tuple[Any, ...] = (count, one.request_id, *SHARED(one), units, columns, made, one.latency_ms, one.error)
    return Answers(*checked)


def _label(request_id: Any, time: Any, received: Any, deployment: Any, label: Any) -> Label:
    shown = math.nan if label is None else label if isinstance(label, str | bool | int | float) else str(label)
    return Label(str(request_id), _number(time), _number(received), str(deployment), shown)


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _whole(value: Any) -> int:
    whole = int(value)
    if not -_LARGEST <= whole <= _LARGEST:
        raise ValueError(f"{whole} is beyond 64 bits")
    return whole


_MAKERS: dict[str, Callable[..., Record]] = {Prediction.kind: _prediction, Answers.kind: _answers, Label.kind: _label}


def _known(value: Any) -> Any:
    """Return what JSON knows for a value of a type that orjson does not."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    return str(value)


def _storable(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool | float) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST else _digits(value)
    if depth == 0:
        return "…"
    if isinstance(value, Mapping):
        return {_text(str(key)): _storable(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_storable(item, depth - 1) for item in value]
    if hasattr(value, "tolist"):  # numpy's arrays and scalars
        return _storable(cast(Any, value).tolist(), depth - 1)
    return _text(str(value))


def _text(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _digits(whole: int) -> str:
    try:
        return str(whole)
    except ValueError:  # Python refuses to print more than 4,300 digits
        return hex(whole)
