"""The tree drawn on top of errors.py is the tree that there is."""

import re

from ratchet import errors


def test_the_drawing_names_every_error() -> None:
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))
    real = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert drawn == real - {"RatchetError"}


def test_nearest_lists_what_there_is_when_nothing_is_near() -> None:
    assert errors.nearest("q", []) == "known: none"
    assert errors.nearest("zzzz", [f"c{i}" for i in range(30)]).endswith("…")
