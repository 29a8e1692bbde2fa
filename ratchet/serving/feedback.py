"""Labels that clients send back: what became of the cases that were predicted, by request id, in batches.

One bad label does not spoil a batch: what is right is taken, and the answer says what was wrong with which.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from ratchet.errors import RequestError
from ratchet.features.spec import FeatureSpec
from ratchet.serving.protocol import check_identifier, unix_time
from ratchet.serving.rows import shown
from ratchet.serving.values import MAX_TEXT
from ratchet.traffic.records import Label

MAX_LABELS = 10_000
MAX_REPORTED = 100
MEMBERS = frozenset(("request_id", "label", "time"))


@dataclass(frozen=True, slots=True)
class Feedback:
    """A batch of labels, read.

    Attributes:
        labels: What is taken.
        refused: What is wrong with which of the rest: ``index``, ``request_id`` and ``error`` of each; the first 100.
        refused_count: How many are refused.
    """

    labels: Sequence[Label]
    refused: Sequence[dict[str, Any]]
    refused_count: int


def read_feedback(document: Any, spec: FeatureSpec, deployment: str, now: float, *, rehearsal: bool = False) -> Feedback:
    """Return the labels of a document ``{"labels": [{"request_id": …, "label": …, "time": …}, …]}``.

    Args:
        document: Parsed JSON.
        spec: Says what a label is: as a rule the champion's.
        deployment: Name of the deployment.
        now: When it came, unix seconds.
        rehearsal: Believe that each label came at the time that it names.

    Raises:
        RequestError: it is no such document, or holds more than 10,000 labels.
    """
    entries = document.get("labels") if type(document) is dict else None
    if type(entries) is not list:
        raise RequestError('send {"labels": [{"request_id": "…", "label": …}, …]}; "labels" is no list here')
    if len(entries) > MAX_LABELS:
        raise RequestError(f"{len(entries)} labels; send at most {MAX_LABELS} at once", status=413)
    labels: list[Label] = []
    refused: list[dict[str, Any]] = []
    count = 0
    for place, entry in enumerate(entries):
        try:
            labels.append(_label(entry, spec, deployment, now, rehearsal))
        except RequestError as error:
            count += 1
            if len(refused) < MAX_REPORTED:
                named = entry.get("request_id") if type(entry) is dict else None
                refused.append({"index": place, "request_id": named[:128] if type(named) is str else None, "error": str(error)})
    return Feedback(labels, refused, count)


def _label(entry: Any, spec: FeatureSpec, deployment: str, now: float, rehearsal: bool) -> Label:
    if type(entry) is not dict:
        raise RequestError(f"label is {shown(entry)}; send an object with request_id and label")
    unknown = [name for name in entry if name not in MEMBERS]
    if unknown:
        raise RequestError(f"unknown member {shown(unknown[0])}; known: label, request_id, time")
    request_id = entry.get("request_id")
    if type(request_id) is not str:
        raise RequestError(f"request_id is {shown(request_id)}; send the id that the prediction was answered with")
    check_identifier(request_id, "request_id")
    time = now if entry.get("time") is None else unix_time(entry["time"], "time")
    value = _value(entry.get("label"), spec)
    return Label(request_id=request_id, time=time, received=time if rehearsal else now, deployment=deployment, label=value)


def _value(value: Any, spec: FeatureSpec) -> str | float | int | bool:
    """Return a label as it is recorded, refusing one that cannot be of this model's task."""
    if spec.task == "regression":
        if type(value) in (int, float) and isfinite(value):
            return float(value)
        raise RequestError(f"label is {shown(value)}; send a finite number, because this model predicts one")
    if spec.task == "anomaly" and not spec.target and type(value) in (bool, int, float) and value in (0, 1):
        return spec.classes[bool(value)]  # the names are ours, so a person who looked into an alarm may just say whether it was one
    if type(value) in (str, int, bool, float) and len(str(value)) <= MAX_TEXT:
        for word in (str(value), str(value).lower(), str(int(value)) if type(value) in (bool, float) and _whole(value) else ""):
            if word in spec.classes:
                return word
    classes = ", ".join(map(repr, spec.classes[:20]))
    raise RequestError(f"label is {shown(value)}; send one of {classes}")


def _whole(value: Any) -> bool:
    return isfinite(value) and value == int(value)
