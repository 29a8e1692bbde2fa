"""What a column may be called, whatever it comes from.

Names travel: into expressions, SQL, YAML, pages and metrics. A name that means something else in one of these places is refused at the
door, where whoever exports the data can still change it.
"""

from collections import Counter
from collections.abc import Sequence

from ratchet.errors import SchemaError

LONGEST = 255


def check_names(names: Sequence[str], where: str) -> None:
    """Refuse names that cannot name columns.

    Args:
        names: Of all columns, in order.
        where: What to call the table in errors.

    Raises:
        SchemaError: there is none, one is empty, too long or there twice, or would stand for other columns.

    >>> check_names(["id", "price"], "a.csv")
    >>> check_names(["id", "*"], "a.csv")
    Traceback (most recent call last):
        ...
    ratchet.errors.SchemaError: a.csv: column '*' has a name that stands for other columns in expressions; rename it
    """
    if not names:
        raise SchemaError(f"{where}: there is no column; check the export that wrote it")
    for place, name in enumerate(names, start=1):
        if not name.strip():
            raise nameless(place, where)
        if len(name) > LONGEST:
            shown = f"{name[:40]!r}…"
            raise SchemaError(f"{where}: the name of column {place}, {shown}, is of {len(name):,} characters; give it at most {LONGEST}")
        if name == "*" or (name.startswith("^") and name.endswith("$")):
            raise SchemaError(f"{where}: column {name!r} has a name that stands for other columns in expressions; rename it")
    for name, times in Counter(names).items():
        if times > 1:
            raise SchemaError(f"{where}: column {name!r} is there {times} times; give each column its own name")


def nameless(place: int, where: str, more: str = "") -> SchemaError:
    """Return the error of a column without a name.

    Args:
        place: Which, from 1.
        where: What to call the table.
        more: What else is known of it.
    """
    return SchemaError(f"{where}: column {place} has no name{more}; name it in the first line, or leave it out (pandas: index=False)")
