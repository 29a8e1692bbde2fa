"""Spans of time as people write them in a parameter: ``30m``, ``12h``, ``7d``, ``2w``."""

import re
from datetime import timedelta

from ratchet.errors import ExpressionError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=36_500)


def parse_duration(text: str, where: str) -> timedelta:
    """Return a span of time.

    Args:
        text: A whole number and a unit (s, m, h, d, w); empty or "0" for none.
        where: What the span is for, for the message.

    Raises:
        ExpressionError: it is not written so, or longer than a century.

    >>> parse_duration("7d", "over")
    datetime.timedelta(days=7)
    >>> parse_duration("", "delay")
    datetime.timedelta(0)
    """
    if text in ("", "0"):
        return timedelta(0)
    match = re.fullmatch(r"(\d{1,9})([smhdw])", text) if isinstance(text, str) else None
    if match is None:
        raise ExpressionError(f"{where} is {text!r}; write a whole number and a unit, like 30m, 12h, 7d or 2w")
    span = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if span > _LONGEST:
        raise ExpressionError(f"{where} is {text!r}, longer than a century; write a shorter span")
    return span
