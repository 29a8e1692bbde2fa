"""What is recorded of live traffic: a prediction of one model for one request row, and a label that came for it later.

A record is written as a JSON list, not as an object: names that repeat in every record would double the file. Serving comes first, so
nothing that a client sends can make a record impossible to write. What JSON cannot hold is changed, always in the same way: a number
that is not finite is null in the inputs and comes back as NaN in a prediction, half a surrogate pair becomes its escape (``\\ud800``),
an integer beyond 64 bits and a value of any other type become text, and nesting deeper than 50 levels is cut.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar, cast

import orjson

from ratchet.errors import StoreError

DEPTH = 50
FELL_BACK = "; the champion answered"  # ends the error of a request that the challenger was to answer
_LARGEST = 2**63 - 1
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one model answered for one row of a request.

    Attributes:
        request_id: Of the row: the request's id, and "#i" after it for row i of several.
        time: When the request came, in Unix seconds; the same for every role, because pairs are matched by it.
        deployment: E.g. "fraud".
        version: Of the model.
        role: "champion", "challenger" or "previous".
        phase: "stable", "shadow", "canary" or "watch".
        percent: Share of clients that the challenger answers, 0 to 100.
        generation: Of the deployment, when the request came.
        rollout: The generation at which the rollout under way began; 0 for none.
        served: Whether the client got this one.
        unit: The request's sticky key (a card, a user), hashed if its column is personal (`Privacy.unit`); "" for none.
        inputs: Raw input columns; only on the record that was served.
        prediction: One number, or k class probabilities; empty on error.
        latency_ms: Of this model for this request, its queue and features included.
        error: What went wrong; "" when nothing did.
    """

    kind: ClassVar[str] = "p1"

    request_id: str
    time: float
    deployment: str
    version: str
    role: str
    phase: str
    percent: int
    generation: int
    rollout: int
    served: bool
    unit: str
    inputs: Mapping[str, Any] | None
    prediction: tuple[float, ...]
    latency_ms: float
    error: str


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

    request_id: str
    time: float
    received: float
    deployment: str
    label: str | float | int | bool


Record = Prediction | Label

_PREDICTION = attrgetter("kind", *Prediction.__slots__)
_LABEL = attrgetter("kind", *Label.__slots__)


def encode(record: Record) -> bytes:
    """Return a record as JSON; the module's docstring says what becomes of that which JSON cannot hold.

    >>> encode(Label("a", 1.0, 2.0, "fraud", True))
    b'["l1","a",1.0,2.0,"fraud",true]'
    """
    fields = (_PREDICTION if record.kind == "p1" else _LABEL)(record)
    try:
        return orjson.dumps(fields, default=_known, option=_OPTIONS)
    except (TypeError, RecursionError):  # rare, so the common case pays nothing for it
        return orjson.dumps([_storable(field, DEPTH) for field in fields])


def decode(payload: bytes) -> Record:
    """Return the record that `encode` wrote.

    Raises:
        StoreError: it is of a kind that this version does not know: a newer version wrote it.
        ValueError: it is no record.

    >>> decode(encode(Label("a", 1.0, 2.0, "fraud", True)))
    Label(request_id='a', time=1.0, received=2.0, deployment='fraud', label=True)
    """
    fields = orjson.loads(payload)
    if not isinstance(fields, list) or not fields or not isinstance(fields[0], str):
        raise ValueError("not a record")
    kind, *values = fields
    try:
        if kind == Prediction.kind:
            return _prediction(*values)
        if kind == Label.kind:
            return _label(*values)
    except TypeError as error:
        raise ValueError(f"not a {kind} record: {error}") from error
    raise StoreError(f"a record of kind {kind!r} is unknown here; let the version of Ratchet that wrote it, or a later one, read it")


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
