"""Personal columns never reach the disk: they are hashed or dropped before a record is written, not cleaned out of files later.

A bare hash of a card number is no protection, since all card numbers can be tried in minutes. So the hash is keyed (HMAC-SHA256) by a
salt that is a secret of the installation: the same value gives the same hash, so that units can still be told apart and grouped, and
without the salt nobody can try values.
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from ratchet.errors import SettingsError, nearest
from ratchet.traffic.answers import ABSENT, Columns

WAYS = ("hash", "drop")


class Privacy:
    """Which columns are personal, and what becomes of them.

    Args:
        columns: Column to "hash" (its value becomes 16 hexadecimal digits) or "drop" (the column is left out).
        salt: The key of the hash.

    Raises:
        SettingsError: there is no such way, or a column is to be hashed without a salt.

    >>> Privacy({"card": "hash", "name": "drop"}, b"salt").apply({"card": "4111", "name": "Ann", "amount": 3.5})
    {'card': '7977fe91a8794564', 'amount': 3.5}
    """

    def __init__(self, columns: Mapping[str, str], salt: bytes = b"") -> None:
        for column, way in columns.items():
            if way not in WAYS:
                raise SettingsError(f"personal column {column!r}: {way!r} is no way to treat it; {nearest(way, WAYS)}")
        if "hash" in columns.values() and not salt:
            raise SettingsError("personal columns are to be hashed without a salt; set RATCHET_PERSONAL_SALT, e.g. env:TRAFFIC_SALT")
        self.columns = dict(columns)
        self._salt = salt

    def apply(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the inputs without what is personal; a missing value of a hashed column stays missing."""
        if self.columns.keys().isdisjoint(inputs):
            return inputs
        kept = {}
        for column, value in inputs.items():
            way = self.columns.get(column)
            if way != "drop":
                kept[column] = self._hash(column, value) if way == "hash" and value is not None else value
        return kept

    def apply_to_columns(self, columns: Columns) -> Columns:
        """Return the columns of several rows without what is personal, as `apply` does it to one row.

        >>> Privacy({"name": "drop"}).apply_to_columns({"name": ["Ann", "Bob"], "amount": [3.5, None]})
        {'amount': [3.5, None]}
        """
        kept: dict[str, Sequence[Any]] = {}
        for column, values in columns.items():
            way = self.columns.get(column)
            if way == "hash":
                kept[column] = [value if value is None or value == ABSENT else self._hash(column, value) for value in values]
            elif way is None:
                kept[column] = values
        return kept

    def unit(self, column: str, value: Any) -> str:
        """Return the unit of a request: its sticky key as it may be written.

        Args:
            column: Of the sticky key; "" when it is none of the inputs (the request's id).
            value: Its value; None for none.

        Returns:
            The value as text; its hash, the same as in the inputs, where the column is hashed; "" where it is dropped, so that
            requests of one person cannot be told to belong together (hash the column if the judge is to know).
        """
        way = self.columns.get(column)
        if value is None or way == "drop":
            return ""
        return self._hash(column, value) if way == "hash" else str(value)

    def scrub(self, text: str, inputs: Mapping[str, Any]) -> str:
        """Return a text, such as an error's, without the personal values of the inputs that it may quote.

        >>> Privacy({"card": "drop"}).scrub("card '4111' is no number", {"card": "4111"})
        "card '…' is no number"
        """
        for column in self.columns.keys() & inputs.keys():
            shown = "" if inputs[column] is None else str(inputs[column])
            text = text.replace(shown, "…") if shown else text
        return text

    def _hash(self, column: str, value: Any) -> str:
        message = f"{column}\0{value}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._salt, message, "sha256").hex()[:16]
