"""Names that mean something else elsewhere are refused at the door."""

import pytest

from ratchet.errors import SchemaError
from ratchet.sources.names import check_names, nameless


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([], "there is no column; check the export"),
        (["a", " "], "column 2 has no name; name it in the first line"),
        (["a", "b", "a"], "column 'a' is there 2 times; give each column its own name"),
        (["a", "*"], r"column '\*' has a name that stands for other columns in expressions; rename it"),
        (["^a.*$"], r"column '\^a\.\*\$' has a name that stands for other columns"),
        (["a", "n" * 256], "the name of column 2, 'n{40}'…, is of 256 characters; give it at most 255"),
    ],
)
def test_a_name_that_cannot_name_a_column_is_refused_with_the_remedy(names: list[str], says: str) -> None:
    with pytest.raises(SchemaError, match=f"^data.csv: {says}"):
        check_names(names, "data.csv")


def test_a_name_is_refused_for_no_other_reason() -> None:
    check_names(["a b", "A B", "'; DROP TABLE x; --", "../x", "🏷️", "^", "a*", "n" * 255, "caf\u00e9", "cafe\u0301"], "data.csv")


def test_what_a_column_without_a_name_holds_is_said() -> None:
    assert "column 3 has no name and holds '5';" in str(nameless(3, "data.csv", " and holds '5'"))
