"""JSON as a client sends it: parsed fast where it is plain, and looked at closely where it is not.

orjson is many times faster than the standard library's parser, keeps the last of two equal keys without a word, and says only where a
document is wrong, not what. So the keys in the text are counted against the keys in the result (some microseconds), and only a document
that does not add up, or does not parse, is read again by the standard library, to say which key came twice and which number is no number.
"""

import json
import re
from typing import Any

import orjson

from ratchet.errors import RequestError
from ratchet.serving.rows import shown

# Each key of an object ends like this; so may a piece of a text, so there are at least as many of these as keys.
KEY_END = re.compile(rb'"[ \t\r\n]*:')


class NotFinite:
    """Stands for NaN, Infinity or a number beyond a double, until it is found in a column and refused by name."""

    def __init__(self, text: str) -> None:
        """Remember how the client wrote it."""
        self.text = text

    def __repr__(self) -> str:
        """Return it as the client wrote it."""
        return shown(self.text)[1:-1]


def parse(body: bytes | bytearray) -> tuple[Any, RequestError | None]:
    """Parse a JSON document.

    Args:
        body: UTF-8.

    Returns:
        The document, and None; or, for a document that is wrong in its numbers, a document in which `NotFinite` stands for them and the
        error to raise if nobody finds a better one.

    Raises:
        RequestError: it is no JSON (400), or an object in it has a key twice.

    >>> parse(b'{"amount": 1}')
    ({'amount': 1}, None)
    >>> parse(b'{"amount": 1, "amount": 2}')
    Traceback (most recent call last):
    ...
    ratchet.errors.RequestError: key 'amount' comes twice in one object; send it once
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return _closely(body, error)
    if len(KEY_END.findall(body)) != _keys(document):
        _refuse_doubled_keys(body)
    return document, None


def _keys(value: Any) -> int:
    """Count keys; a list whose first item is no object is not looked into, which only costs a second look."""
    if type(value) is dict:
        count = len(value)
        for item in value.values():
            if type(item) is dict or (type(item) is list and item):
                count += _keys(item)
        return count
    if type(value) is list and value and type(value[0]) in (dict, list):
        return sum(map(_keys, value))
    return 0


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise RequestError(f"key {shown(key)} comes twice in one object; send it once")
            seen.add(key)
    return made


def _refuse_doubled_keys(body: bytes | bytearray) -> None:
    try:
        json.loads(body, object_pairs_hook=_pairs, parse_float=_float, parse_int=_int)
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # a whole number of thousands of digits, which orjson has taken as a double
        return


def _closely(body: bytes | bytearray, error: orjson.JSONDecodeError) -> tuple[Any, RequestError]:
    reason = f"the body is no JSON ({shown(str(error), 200)[1:-1]}); send a JSON object"
    if not body.strip():
        reason = "the body is empty; send a JSON object"
    elif "depth limit" in str(error):
        raise _too_deep()
    general = RequestError(reason)
    try:
        document = json.loads(body, object_pairs_hook=_pairs, parse_constant=NotFinite, parse_float=_float, parse_int=_int)
    except RecursionError:
        raise _too_deep() from None
    except UnicodeDecodeError as undecodable:
        raise RequestError(f"the body is not UTF-8 (byte {undecodable.start}); send UTF-8") from None
    except ValueError:
        raise general from None
    return document, general


def _float(text: str) -> Any:
    number = float(text)
    return number if abs(number) != float("inf") else NotFinite(text)


def _int(text: str) -> Any:
    return int(text) if len(text) < 300 else NotFinite(text)


def _too_deep() -> RequestError:
    return RequestError("the body is nested too deeply; send named columns, or a list of rows of them")
