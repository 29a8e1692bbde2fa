"""What type a column of texts really has.

CSV carries texts. A column becomes a number, a boolean or a time only when every value in it is one, because half-parsed columns are
how rows get lost. Codes with leading zeros and integers beyond 64 bits stay texts: as numbers they would no longer be what they were.
"""

import polars as pl

MISSING = ("NA", "N/A", "null", "NULL", "None")  # spelled-out nothing, taken as missing in columns that are otherwise typed
LEADING_ZERO = r"^[+-]?0\d"
WHOLE_NUMBER = r"^[+-]?\d+$"
HEAD = 1_000  # values that are looked at before a whole column is tried

_OFFSET = r"(?:Z|[+-]\d{2}:?\d{2})$"
_TIME_FORMATS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d")
_ZONED_FORMATS = ("%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M%z")


def parse_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the table with each column of texts as its real type, where all its values agree on one.

    Args:
        frame: A table; columns that are not texts are left alone.

    >>> parse_texts(pl.DataFrame({"a": ["1", "NA"], "b": ["007", "8"], "c": ["2.5", "nan"], "d": ["true", "False"]})).dtypes
    [Int64, String, Float64, Boolean]
    """
    return frame.with_columns([parse_column(column) for column in frame.iter_columns() if column.dtype == pl.String])


def parse_column(column: pl.Series) -> pl.Series:
    """Return a column of texts as integers, numbers, booleans or times where every value is one, else as it is."""
    if column.null_count() == len(column):
        return column
    stripped = column.str.strip_chars()
    texts = stripped.set(stripped.is_in(MISSING), None)
    if texts.null_count() == len(texts):
        return column
    head = texts.drop_nulls().head(HEAD)
    for parse in (parse_integers, parse_numbers, parse_booleans, parse_times):
        if parse(head).null_count() == 0:
            parsed = parse(texts)
            if parsed.null_count() == texts.null_count():
                return parsed
    return column


def parse_integers(texts: pl.Series) -> pl.Series:
    """Return texts as Int64; null where one is not a whole number of 64 bits, or has a leading zero."""
    return texts.set(texts.str.contains(LEADING_ZERO), None).cast(pl.Int64, strict=False)


def parse_numbers(texts: pl.Series) -> pl.Series:
    """Return texts as Float64, ``nan`` and ``inf`` included; null where one is no number, or is a code made of digits."""
    code = texts.str.contains(LEADING_ZERO) | (texts.str.contains(WHOLE_NUMBER) & (texts.str.len_bytes() > 18))
    return texts.set(code, None).cast(pl.Float64, strict=False)


def parse_booleans(texts: pl.Series) -> pl.Series:
    """Return ``true`` and ``false``, in any case, as Boolean; null for all else."""
    lower = texts.str.to_lowercase()
    return (lower == "true").set(~lower.is_in(["true", "false"]), None).alias(texts.name)


def parse_times(texts: pl.Series) -> pl.Series:
    """Return ISO 8601 dates and times as Datetime("us"), times with an offset in UTC; null where one is neither.

    Years come first. Forms such as 03/04/2024 are not guessed at, because a guess can change from one month's file to the next.

    >>> parse_times(pl.Series(["2024-03-01", "2024/03/01 12:30", "2024-03-01T12:30:00+02:00", "03/04/2024"])).dt.to_string().to_list()
    ['2024-03-01 00:00:00.000000', '2024-03-01 12:30:00.000000', '2024-03-01 10:30:00.000000', None]
    """
    name = texts.name
    column = pl.col(name).str.replace(r"^(\d{4})/(\d{2})/(\d{2})", "$1-$2-$3").str.replace(r"^(\d{4}-\d{2}-\d{2}) +", "${1}T")
    zoned = column.str.replace("Z$", "+0000").str.replace(r"([+-]\d{2}):(\d{2})$", "$1$2")
    plain = [column.str.to_datetime(form, time_unit="us", strict=False) for form in _TIME_FORMATS]
    frame = texts.to_frame()
    if texts.str.contains(r"T?\d{2}:\d{2}.*" + _OFFSET).any():
        in_utc = [zoned.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False) for form in _ZONED_FORMATS]
        plain += [moment.dt.replace_time_zone(None) for moment in in_utc]
    return frame.select(pl.coalesce(plain).alias(name)).to_series()
