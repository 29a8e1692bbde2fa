"""Numbers on their way into KFP's Metrics artifacts.

KFP carries metrics as JSON, which has no NaN and no infinity: one of them and the step fails after its work is done.
So a value that is not finite is left out, and the names left out are listed, so that nobody takes its absence for a zero.
"""

import math
from collections.abc import Mapping
from typing import Any, Protocol

LEFT_OUT = "left_out_as_not_finite"


class MetricSink(Protocol):
    """What is needed of ``kfp.dsl.Metrics``, so that this library need not import kfp."""

    metadata: dict[str, Any]


def log_metrics(sink: MetricSink, values: Mapping[str, float | int | str]) -> None:
    """Write values into a Metrics artifact, in the order given.

    Args:
        sink: An artifact with a ``metadata`` dict.
        values: By name. Floats that are not finite are named under ``left_out_as_not_finite`` instead.

    >>> from types import SimpleNamespace
    >>> sink = SimpleNamespace(metadata={})
    >>> log_metrics(sink, {"auc": 0.875, "log_loss": float("inf")})
    >>> sink.metadata
    {'auc': 0.875, 'left_out_as_not_finite': 'log_loss'}
    """
    left_out = []
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            left_out.append(name)
        else:
            sink.metadata[name] = value
    if left_out:
        sink.metadata[LEFT_OUT] = ", ".join(left_out)
