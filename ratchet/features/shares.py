"""A number in [0, 1) that belongs to a row for ever, so that a row of the holdout stays there in every later run.

Not a random split with a seed, which deals anew when one row is added; and not polars' row hash, which its authors change between
releases. A cryptographic digest of the key's text takes a microsecond a row and will be the same in ten years.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from ratchet.data.kinds import canonical
from ratchet.errors import SchemaError, nearest


def stable_shares(frame: pl.DataFrame, columns: Sequence[str], salt: str) -> npt.NDArray[np.float64]:
    """Return each row's number, the same wherever the named columns hold the same values.

    Args:
        frame: The rows.
        columns: What identifies a row; at least one.
        salt: Another salt gives other, independent numbers.

    Returns:
        shape (rows,), uniform in [0, 1).

    Raises:
        SchemaError: a column is not there.

    >>> rows = pl.DataFrame({"id": [1, 2, 1]})
    >>> a, b, c = stable_shares(rows, ["id"], "holdout")
    >>> bool(a == c), bool(a == b), bool(a == stable_shares(pl.DataFrame({"id": [1.0]}), ["id"], "holdout")[0])
    (True, False, True)
    """
    for name in columns:
        if name not in frame.columns:
            raise SchemaError(f"no column {name!r} to identify rows by; {nearest(name, frame.columns)}")
    rows = canonical(frame.select(columns))
    keys = rows.select(pl.concat_str([_text(name, dtype) for name, dtype in rows.schema.items()], separator="\x1f").alias("key"))["key"]
    start = hashlib.blake2b(salt.encode(), digest_size=8)
    distinct = keys.unique()
    digests = bytearray()
    for key in distinct:
        digest = start.copy()
        digest.update(key.encode())
        digests += digest.digest()
    numbers = (np.frombuffer(bytes(digests), "<u8") >> np.uint64(11)).astype(np.float64) / 2.0**53
    by_key = pl.DataFrame({"key": distinct, "share": numbers})
    return keys.to_frame().join(by_key, on="key", how="left", maintain_order="left")["share"].to_numpy()


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype == pl.Float64:  # a whole number is the same key as the same integer; any other is its bits
        whole = (column.floor() == column) & (column.abs() < 2.0**53)
        integer = pl.when(whole).then(column).cast(pl.Int64, strict=False).cast(pl.String)
        text = pl.when(whole).then(integer).otherwise(pl.lit("bits ") + column.reinterpret(signed=True).cast(pl.String))
    else:
        text = (column.to_physical() if dtype.is_temporal() else column).cast(pl.String)
    return text.fill_null("\x00")
