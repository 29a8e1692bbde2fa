"""What type a column of texts really has.

CSV carries texts. A column becomes a number, a boolean or a time only when every value in it is one, because half-parsed columns are
how rows get lost. Codes with leading zeros and integers beyond 64 bits stay texts: as numbers they would no longer be what they were.

The kinds are tried in one order, and a kind that one value contradicts is never tried again; so the kind of a long column can be found
piece by piece (`ratchet.data.agreement`), and is the same as that of the whole.
"""

from collections.abc import Callable

import polars as pl

from ratchet.data.kinds import CALENDAR

MISSING = ("NA", "N/A", "null", "NULL", "None")  # spelled-out nothing, taken as missing in columns that are otherwise typed
LEADING_ZERO = r"^[+-]?0\d"
WHOLE_NUMBER = r"^[+-]?\d+$"
LONG = 1e17  # whole numbers of 18 digits and more are codes, where they are not integers of 64 bits
DECIMAL_COMMA = (
    r"^[+-]?(?:[1-9]\d{0,2}(?:\.\d{3})+|0|[1-9]\d*)(?:,\d+)?$"  # 1.234,56 as Excel writes it where the comma is the decimal sign
)
FORMULA = r'="'  # a cell ="00123" is how Excel is told that 00123 is a text
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
    return agreed(column)[1]


def agreed(column: pl.Series, after: str = "missing", *, commas: bool = False) -> tuple[str, pl.Series]:
    """Return the first kind that all values of a column of texts are of, and the column as that kind.

    Args:
        column: Texts.
        after: The kind to begin with, in the order of `KINDS`; those before it were contradicted elsewhere.
        commas: Whether 1.234,56 may be a number.

    >>> agreed(pl.Series(["1.234,56", "7"]), commas=True)[1].to_list()
    [1234.56, 7.0]
    >>> agreed(pl.Series(["00123", None]))[0], agreed(pl.Series(["7"]), "number")[0], agreed(pl.Series(["NA", None]))[0]
    ('string', 'number', 'missing')
    """
    if after == "string":
        return after, unwrapped(column)
    known = _PARSERS[after](column)
    if known.null_count() == column.null_count():  # what earlier pieces were is mostly what the next one is
        return after, known
    head = _without_missing(column.head(2 * HEAD)).drop_nulls().head(HEAD)
    texts: pl.Series | None = None
    for kind in KINDS[KINDS.index(after) : -1]:
        parse = _PARSERS[kind]
        if (kind == "decimal" and not commas) or parse(head).null_count():
            continue
        parsed = parse(column)
        if parsed.null_count() == column.null_count():
            return kind, parsed
        texts = _without_missing(column) if texts is None else texts
        parsed = parse(texts)
        if parsed.null_count() == texts.null_count():
            return kind, column if kind == "missing" else parsed
    return "string", unwrapped(column)


def unwrapped(column: pl.Series) -> pl.Series:
    """Return texts with formula cells that hold a text as that text; every other formula stays the text that it is.

    >>> unwrapped(pl.Series(['="00123"', "=1+2", "x"])).to_list()
    ['00123', '=1+2', 'x']
    """
    is_formula = column.str.starts_with(FORMULA)
    if not is_formula.any():
        return column
    is_formula &= column.str.contains(r'^="(?:[^"]|"")*"$')
    inner = pl.col(column.name).str.slice(2, pl.col(column.name).str.len_chars() - 3).str.replace_all('""', '"', literal=True)
    return column.to_frame().select(pl.when(is_formula).then(inner).otherwise(column.name).alias(column.name)).to_series()


def parse_integers(texts: pl.Series) -> pl.Series:
    """Return texts as Int64; null where one is not a whole number of 64 bits, or has a leading zero."""
    return _except(texts.cast(pl.Int64, strict=False), texts.str.contains(LEADING_ZERO))


def parse_numbers(texts: pl.Series) -> pl.Series:
    """Return texts as Float64, ``nan`` and ``inf`` included; null where one is no number, or is a code made of digits."""
    numbers = _except(texts.cast(pl.Float64, strict=False), texts.str.contains(LEADING_ZERO))
    if not (numbers.abs() >= LONG).any():
        return numbers
    return _except(numbers, texts.str.contains(WHOLE_NUMBER) & (texts.str.len_bytes() > 18))


def parse_decimals(texts: pl.Series) -> pl.Series:
    """Return texts with a decimal comma, and points between thousands, as Float64; null where one is no such number.

    >>> parse_decimals(pl.Series(["1.234,56", "-0,5", "1,234.56", "12"])).to_list()
    [1234.56, -0.5, None, 12.0]
    """
    plain = texts.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    code = (texts.str.len_bytes() > 18) & ~texts.str.contains(",", literal=True)
    return _except(plain.cast(pl.Float64, strict=False), ~texts.str.contains(DECIMAL_COMMA) | code)


def parse_booleans(texts: pl.Series) -> pl.Series:
    """Return ``true`` and ``false``, in any case, as Boolean; null for all else."""
    true = texts == "true"
    if (true | (texts == "false")).all():  # as they are mostly written
        return true.alias(texts.name)
    lower = texts.str.to_lowercase()
    return _except(lower == "true", ~lower.is_in(["true", "false"])).alias(texts.name)


def parse_times(texts: pl.Series) -> pl.Series:
    """Return ISO 8601 dates and times as Datetime("us"), times with an offset in UTC; null where one is neither.

    Years come first. Forms such as 03/04/2024 are not guessed at, because a guess can change from one month's file to the next.

    >>> parse_times(pl.Series(["2024-03-01", "2024/03/01 12:30", "2024-03-01T12:30:00+02:00", "03/04/2024"])).dt.to_string().to_list()
    ['2024-03-01 00:00:00.000000', '2024-03-01 12:30:00.000000', '2024-03-01 10:30:00.000000', None]
    """
    name = texts.name
    quick = _in_calendar(texts.str.to_datetime(_TIME_FORMATS[-1 if _short(texts) else 0], time_unit="us", strict=False))
    if quick.null_count() == texts.null_count():  # most columns are written in one form
        return quick
    column = pl.col(name).str.replace(r"^(\d{4})/(\d{2})/(\d{2})", "$1-$2-$3").str.replace(r"^(\d{4}-\d{2}-\d{2}) +", "${1}T")
    zoned = column.str.replace("Z$", "+0000").str.replace(r"([+-]\d{2}):(\d{2})$", "$1$2")
    plain = [column.str.to_datetime(form, time_unit="us", strict=False) for form in _TIME_FORMATS]
    frame = texts.to_frame()
    if texts.str.contains(r"T?\d{2}:\d{2}.*" + _OFFSET).any():
        in_utc = [zoned.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False) for form in _ZONED_FORMATS]
        plain += [moment.dt.replace_time_zone(None) for moment in in_utc]
    return _in_calendar(frame.select(pl.coalesce(plain).alias(name)).to_series())


def _in_calendar(moments: pl.Series) -> pl.Series:
    ticks = moments.to_physical()
    low, high = ticks.min(), ticks.max()
    if isinstance(low, int) and isinstance(high, int) and (low < CALENDAR[0] or high > CALENDAR[1]):
        return moments.set(~ticks.is_between(*CALENDAR), None)
    return moments


def _short(texts: pl.Series) -> bool:
    place = texts.is_not_null().arg_max()
    return place is not None and len(texts[place] or "") <= len("2024-03-01 ")


def _nothing(texts: pl.Series) -> pl.Series:
    return texts.set(~texts.is_in(MISSING), None)


def _without_missing(column: pl.Series) -> pl.Series:
    stripped = column.str.strip_chars()
    return _except(stripped, stripped.is_in(MISSING))


def _except(values: pl.Series, bad: pl.Series) -> pl.Series:
    return values.set(bad, None) if bad.any() else values


_PARSERS: dict[str, Callable[[pl.Series], pl.Series]] = {
    "missing": _nothing,
    "integer": parse_integers,
    "number": parse_numbers,
    "decimal": parse_decimals,
    "boolean": parse_booleans,
    "datetime": parse_times,
}
KINDS = (*_PARSERS, "string")
