"""The schema is a file that people read, edit and get what they wrote."""

from pathlib import Path

import pytest

from ratchet.data.absent import write_absent
from ratchet.data.cards import simulate_cards
from ratchet.data.schema import ColumnSchema, Schema
from ratchet.errors import SchemaError

CARDS = Schema.infer(simulate_cards(1, seed=5, customers=60), key=["transaction_id"], time="time", target="fraud")


def test_what_is_written_is_read_and_keeps_its_digest(tmp_path: Path) -> None:
    CARDS.write_yaml(tmp_path / "schema.yaml")
    again = Schema.read(tmp_path / "schema.yaml")
    assert again is not None
    assert again == CARDS
    assert again.digest == CARDS.digest
    assert (tmp_path / "schema.yaml").read_text().startswith("# Schema of the data")


def test_comments_do_not_count_and_a_bound_does() -> None:
    text = CARDS.text()
    commented = Schema.parse(text + "\n# reviewed by Ada\n")
    edited = Schema.parse(text.replace("minimum: 0.0", "minimum: 1.0"))
    assert commented is not None
    assert edited is not None
    assert commented.digest == CARDS.digest != edited.digest


def test_no_schema_is_said_by_an_empty_mapping_or_the_mark(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("{}\n")
    write_absent(tmp_path / "absent", "no champion yet")
    assert Schema.read(tmp_path / "empty.yaml") is None
    assert Schema.read(tmp_path / "absent") is None


def test_yes_and_no_are_texts_whatever_yaml_thinks() -> None:
    schema = Schema.parse("columns: {open: {type: string, categories: ['yes', 'no']}, flag: {type: boolean, categories: [true]}}")
    assert schema is not None
    assert schema.columns["open"].categories == ("yes", "no")
    assert schema.columns["flag"].categories == ("true",)
    assert Schema.parse(schema.text()) == schema


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("columns: [a", "is not YAML"),
        ("just words", "is a str; it must be a mapping"),
        ("target: a", "lists no columns"),
        ("colums: {a: {type: number}}", "unknown entry 'colums'; did you mean 'columns'"),
        ("columns: {a: {type: numbr}}", "column 'a': type 'numbr' is none; did you mean 'number'"),
        ("columns: {a: {type: number, minimun: 3}}", "column 'a': unknown entry 'minimun'; did you mean 'minimum'"),
        ("columns: {a: {type: number, minimum: low}}", "column 'a': minimum is 'low'; it must be a number"),
        ("columns: {a: {type: number, minimum: 3, maximum: 1}}", "minimum 3 is above maximum 1; swap them"),
        ("columns: {a: {type: number, max_missing: 5}}", "max_missing is 5; it is a share"),
        ("columns: {a: {type: string, categories: []}}", "categories is .*leave it out to allow any"),
        ("columns: {a: {type: number, scale: [1, 2]}}", "give the three quartiles"),
        ("target: b\ncolumns: {a: {type: number}}", "'b' is named as key, time or target but is not under 'columns'"),
    ],
)
def test_a_slip_in_an_edited_schema_is_named(text: str, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        Schema.parse(text)


def test_a_schema_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"nowhere\.yaml' cannot be read"):
        Schema.read(tmp_path / "nowhere.yaml")


def test_roles_are_replaced_only_where_given() -> None:
    schema = Schema({"a": ColumnSchema("number"), "b": ColumnSchema("number")}, key=("a",), target="b")
    assert schema.with_roles() == schema
    assert schema.with_roles(key=["b"]).key == ("b",)
