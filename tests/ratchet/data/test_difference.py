"""What a person reads of a difference."""

import json

from ratchet.data.difference import Change, ColumnChanges, Difference

FOUND = Difference(
    rows=(100, 103),
    digests=("rows:aa", "rows:bb"),
    key=("id",),
    added=5,
    removed=2,
    changed=3,
    columns=(ColumnChanges("amount", 3, (Change({"id": 7}, 1.5, None), Change({"id": 9}, 2.0, 3.0))),),
    only_new=("city",),
    kinds={"n": ("integer", "string")},
    added_rows=({"id": 101, "amount": 1.0},),
)


def test_the_reason_counts_what_changed_and_names_columns():
    assert FOUND.verdict == "different"
    assert FOUND.reason == "5 rows added, 2 removed, 3 changed (by id); new column city."
    whole = Difference(rows=(1, 2), added=2, removed=1, only_old=("a", "b"))
    assert whole.reason == (
        "2 rows added, 1 removed (compared as whole rows; a changed row is one removed and one added); lost columns a, b."
    )
    assert Difference(rows=(1234, 1234)).reason == "The same 1,234 rows."
    assert Difference(rows=(1, 1), kinds={"x": ("integer", "number")}).verdict == "same"


def test_the_page_shows_columns_with_examples_and_the_schema():
    text = FOUND.page().markdown()
    assert "## Difference: different" in text
    assert "| digest now | rows:bb |" in text
    assert "| amount | 3 | id 7: 1.5 → –; id 9: 2 → 3 |" in text
    assert "| city | – | new |" in text
    assert "| n | integer | string |" in text
    assert "| 101 | 1 |" in text


def test_it_is_json():
    made = json.loads(json.dumps(FOUND.to_dict(), allow_nan=False))
    assert (made["added"], made["removed"], made["changed"]) == (5, 2, 3)
    assert made["columns"][0]["examples"][0] == {"key": {"id": 7}, "old": 1.5, "new": None}
    assert Difference(rows=(1, 2), added=1).to_dict()["changed"] is None, "without a key nobody can say"
