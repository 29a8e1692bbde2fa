"""The version of a table: a digest of its rows, in any order and from any file format.

A digest of the file will not do: the same rows written by another library, in other parts or in another order, are another file.
Nor will polars' own row hash, which its authors change between releases. So each value is mixed by a fixed function (SplitMix64;
texts by BLAKE2b), each row is the mixed sum of its named values, and the table is the sum of its rows, which no order changes and
in which duplicates count. Two such sums of 64 bits are kept.

It tells any accidental difference apart. It is not made to withstand a forger: what must not be forged (model packages, the audit
chain) is covered by SHA-256 over bytes.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from ratchet.data.kinds import canonical, kind_of

Codes = npt.NDArray[np.uint64]

CHUNK = 65_536  # rows; keeps the working set in the processor's cache
NULL = 0x6E756C6C
_MASK = (1 << 64) - 1


class ContentDigest:
    """A digest that takes a table part by part.

    >>> whole = pl.DataFrame({"a": [1, 2, 3]})
    >>> digest = ContentDigest()
    >>> digest.update(whole[2:])
    >>> digest.update(whole[:2])
    >>> digest.text() == content_digest(whole)
    True
    """

    def __init__(self) -> None:
        self.rows = 0
        self._sums = [0, 0]
        self._columns: set[str] = set()

    def update(self, frame: pl.DataFrame) -> None:
        """Add the rows of a part."""
        self._columns.update(frame.columns)
        self.rows += frame.height
        for chunk in canonical(frame).iter_slices(CHUNK) if frame.height else ():
            for lane, hashes in enumerate(row_hashes(chunk)):
                self._sums[lane] = (self._sums[lane] + int(hashes.sum(dtype=np.uint64))) & _MASK

    def text(self) -> str:
        """Return the digest of what was added so far, as ``rows:`` and 40 hexadecimal digits."""
        state = ["ratchet-rows-1", str(self.rows), *map(str, self._sums), *sorted(self._columns)]
        return "rows:" + hashlib.sha256("\0".join(state).encode()).hexdigest()[:40]


def content_digest(frame: pl.DataFrame | Iterable[pl.DataFrame]) -> str:
    """Return the digest of a table's rows.

    Equal for equal rows in any order of rows or columns, whole or in parts, from any format; an integer equals the same whole
    number stored as a float. Different when a value, a name or the number of times that a row occurs differs.

    Args:
        frame: The table, or its parts.

    Returns:
        ``rows:`` and 40 hexadecimal digits.

    Source:
        Bellare and Micciancio, "A new paradigm for collision-free hashing", Eurocrypt 1997 (hashing a multiset by a sum);
        Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (the mixing function).

    >>> content_digest(pl.DataFrame({"a": [1, 2], "b": ["x", None]})) == content_digest(pl.DataFrame({"b": [None, "x"], "a": [2.0, 1.0]}))
    True
    >>> content_digest(pl.DataFrame({"a": [1, 1]})) == content_digest(pl.DataFrame({"a": [1]}))
    False
    """
    digest = ContentDigest()
    for part in [frame] if isinstance(frame, pl.DataFrame) else frame:
        digest.update(part)
    return digest.text()


def schema_digest(schema: pl.Schema) -> str:
    """Return the digest of a table's column names and kinds, in their order.

    >>> schema_digest(pl.Schema({"a": pl.Int8})) == schema_digest(pl.Schema({"a": pl.Int64}))
    True
    """
    text = "\0".join(f"{name}\0{kind_of(dtype)}" for name, dtype in schema.items())
    return "columns:" + hashlib.sha256(text.encode()).hexdigest()[:40]


def row_hashes(frame: pl.DataFrame) -> tuple[Codes, Codes]:
    """Return two hashes of each row's named values, of which the digest is the sum.

    Args:
        frame: Rows of canonical types.

    Returns:
        shape (rows,) each; equal where names and values are, whatever the order of the columns.

    >>> bool((row_hashes(pl.DataFrame({"a": [1], "b": ["x"]}))[0] == row_hashes(pl.DataFrame({"b": ["x"], "a": [1.0]}))[0]).all())
    True
    """
    sums = (np.zeros(frame.height, np.uint64), np.zeros(frame.height, np.uint64))
    mixed, spare = np.empty(frame.height, np.uint64), np.empty(frame.height, np.uint64)
    for column in frame.iter_columns():
        family, lanes = _codes(column)
        nulls = column.is_null().to_numpy() if column.null_count() else None
        for lane, codes in enumerate(lanes):
            np.add(codes, _seed(column.name, family, lane), out=mixed)
            _mix_into(mixed, spare)
            if nulls is not None:  # the kind of a missing value is not known in CSV, so it is no part of its code
                mixed[nulls] = _mix(np.array([NULL], np.uint64) + _seed(column.name, "null", lane))
            np.add(sums[lane], mixed, out=sums[lane])
    for total in sums:
        _mix_into(total, spare)
    return sums


def _codes(column: pl.Series) -> tuple[str, tuple[Codes, Codes]]:
    kind = kind_of(column.dtype)
    if kind == "string":
        return "text", _text_codes(column.fill_null("") if column.null_count() else column)
    if kind == "number":
        codes = _number_codes((column.fill_null(0.0) if column.null_count() else column).to_numpy())
        return "numeric", (codes, codes)
    whole = column if column.dtype == pl.Int64 else column.to_physical().cast(pl.Int64)
    codes = (whole.fill_null(0) if whole.null_count() else whole).to_numpy().view(np.uint64)
    return {"integer": "numeric"}.get(kind, kind), (codes, codes)


def _text_codes(texts: pl.Series) -> tuple[Codes, Codes]:
    """Code each text by BLAKE2b, each different one once where texts repeat."""
    different = texts.unique()
    if len(different) * 2 > len(texts):
        different, places = texts, None
    else:
        places = texts.cast(pl.Enum(different)).to_physical().to_numpy()
    packed = b"".join(map(_text_code, different.to_list()))
    pairs = np.frombuffer(packed, "<u8").astype(np.uint64).reshape(-1, 2)
    first, second = pairs[:, 0], pairs[:, 1]
    return (first, second) if places is None else (first[places], second[places])


def _number_codes(values: npt.NDArray[np.float64]) -> Codes:
    """Code a whole number like the same integer, and any other number by its bits."""
    floor = np.floor(values)
    whole = floor == values  # false for NaN
    if not whole.any() and not np.isnan(values).any():
        return _mix(values.view(np.uint64))
    whole &= np.abs(values) < 2.0**63
    as_integer = np.where(whole, values, 0.0).astype(np.int64).view(np.uint64)
    if whole.all():
        return as_integer
    bits = np.where(np.isnan(values), np.nan, values).view(np.uint64)  # one bit pattern for every NaN
    return np.where(whole, as_integer, _mix(bits))


def _mix(codes: Codes) -> Codes:
    mixed = codes.copy()
    _mix_into(mixed, np.empty_like(mixed))
    return mixed


def _mix_into(codes: Codes, spare: Codes) -> None:
    """Mix in place: a copy at every step would cost more than the step."""
    np.add(codes, _STEP, out=codes)
    for shift, factor in _ROUNDS:
        np.right_shift(codes, shift, out=spare)
        np.bitwise_xor(codes, spare, out=codes)
        np.multiply(codes, factor, out=codes)
    np.right_shift(codes, _LAST, out=spare)
    np.bitwise_xor(codes, spare, out=codes)


_STEP, _LAST = np.uint64(0x9E3779B97F4A7C15), np.uint64(31)
_ROUNDS = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))


@lru_cache(maxsize=CHUNK)
def _text_code(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


@lru_cache(maxsize=4096)
def _seed(name: str, family: str, lane: int) -> np.uint64:
    key = hashlib.blake2b(f"{lane}\0{family}\0{name}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(key, "little"))
