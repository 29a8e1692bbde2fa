"""No row is ever lost, whatever comes in, and the schema that was used is the one that was reviewed."""

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.data.absent import write_absent
from ratchet.data.cards import simulate_cards
from ratchet.data.findings import Limits
from ratchet.data.quality import ValidationResult, assess, validate
from ratchet.data.schema import ColumnSchema, Schema
from ratchet.data.tables import read_dataset, write_dataset
from ratchet.errors import ParameterError, SchemaError, TargetError

CARDS = simulate_cards(1, seed=3, customers=60)
ROLES: dict[str, Any] = {"key": ["transaction_id"], "time_column": "time", "target": "fraud"}

cells: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(-100, 100),
    "number": st.floats(),
    "boolean": st.booleans(),
    "string": st.sampled_from(["a", "b", "7", "2.5", "true", "2024-03-01", ""]),
    "datetime": st.datetimes(),
}
DTYPES = {"integer": pl.Int64, "number": pl.Float64, "boolean": pl.Boolean, "string": pl.String, "datetime": pl.Datetime("us")}


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    height = draw(st.integers(0, 25))
    columns = {}
    for name in draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True)):
        kind = draw(st.sampled_from(sorted(DTYPES)))
        values = draw(st.lists(st.one_of(st.none(), cells[kind]), min_size=height, max_size=height))
        columns[name] = pl.Series(values, dtype=DTYPES[kind])
    return pl.DataFrame(columns)


def kind_in(frame: pl.DataFrame, name: str) -> str:
    return next((kind for kind, dtype in DTYPES.items() if frame.schema.get(name) == dtype), "string")


@st.composite
def schemas(draw: st.DrawFn, frame: pl.DataFrame) -> Schema:
    """Draw a schema that fits the table in part, because one that fits in nothing tries little."""
    names = draw(st.lists(st.sampled_from([*frame.columns, *"abcd"]), min_size=1, max_size=4, unique=True))
    columns = {}
    for name in names:
        kind = draw(st.sampled_from([kind_in(frame, name)] * 5 + sorted(DTYPES)))
        numeric = kind in ("integer", "number")
        columns[name] = ColumnSchema(
            kind,
            max_missing=draw(st.sampled_from([0.0, 0.5])),
            minimum=draw(st.sampled_from([None, -5])) if numeric else None,
            maximum=draw(st.sampled_from([None, 5])) if numeric else None,
            categories=draw(st.sampled_from([None, ("a", "b")])) if kind == "string" else None,
        )
    pick = st.sampled_from(["", *names])
    return Schema(columns, tuple(filter(None, [draw(pick)])), draw(pick), draw(pick), {"a": 0.5, "7": 0.5})


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(tables().flatmap(lambda frame: st.tuples(st.just(frame), schemas(frame))))
def test_rows_in_are_rows_out_and_rows_set_aside(drawn: tuple[pl.DataFrame, Schema]) -> None:
    frame, schema = drawn
    result = assess(frame, schema)
    assert result.kept.height + result.quarantined.height == frame.height
    assert result.quarantined["quarantine_reason"].null_count() == 0
    assert (result.quarantined["quarantine_reason"].str.len_chars() > 0).all()
    assert result.verdict in ("valid", "quarantined", "invalid")
    if result.verdict == "valid":
        assert result.quarantined.is_empty()
        assert assess(result.kept, schema).verdict == "valid", "what was found valid stays valid"


def run(frame: pl.DataFrame, folder: Path, **options: Any) -> ValidationResult:
    write_dataset(frame, folder / "data", source="test")
    outputs = {f"{name}_path": folder / name for name in ("clean", "quarantine", "schema", "report")}
    return validate(folder / "data", **outputs, **options)


def test_first_data_makes_the_schema_and_the_next_is_held_against_it(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write_absent(tmp_path / "none", "no champion yet")
    one = run(CARDS, first, champion_schema_path=tmp_path / "none", **ROLES)
    assert one.verdict == "valid"
    assert "made from this very data" in one.reason
    two = run(simulate_cards(2, seed=3, customers=60, fault=True), second, champion_schema_path=first / "schema")
    assert two.verdict == "invalid"
    assert two.schema == one.schema
    assert (second / "schema").read_text() == (first / "schema").read_text(), "a schema under review does not change by itself"
    assert two.schema.target == "fraud"


def test_invalid_data_is_written_too_and_every_row_is_somewhere(tmp_path: Path) -> None:
    broken = CARDS.with_columns(pl.when(pl.int_range(pl.len()) % 3 == 0).then(float("nan")).otherwise("amount").alias("amount"))
    result = run(broken, tmp_path, **ROLES)
    assert result.verdict == "invalid"
    assert result.rows_in == CARDS.height == result.rows_out + result.rows_quarantined
    assert read_dataset(tmp_path / "clean").height == result.clean.rows == result.rows_out
    assert read_dataset(tmp_path / "quarantine").height == result.rows_quarantined
    html = (tmp_path / "report").read_text()
    assert "invalid" in html
    assert "amount" in html


def test_a_schema_given_as_text_or_path_wins_over_the_champions(tmp_path: Path) -> None:
    run(CARDS, tmp_path / "champion", **ROLES)
    strict = "columns:\n  amount: {type: number, maximum: 50}\n"
    (tmp_path / "strict.yaml").write_text(strict)
    for place, schema_text in enumerate((strict, str(tmp_path / "strict.yaml"))):
        folder = tmp_path / f"given-{place}"
        result = run(CARDS, folder, champion_schema_path=tmp_path / "champion" / "schema", schema_text=schema_text)
        assert result.clean.columns == ("amount",)
        assert result.rows_out == (CARDS["amount"] <= 50).sum()


def test_another_target_is_not_judged_by_the_labels_of_the_first(tmp_path: Path) -> None:
    run(CARDS, tmp_path / "champion", **ROLES)
    result = run(CARDS, tmp_path / "other", champion_schema_path=tmp_path / "champion" / "schema", target="channel")
    assert result.verdict == "valid", result.reason
    assert result.schema.target == "channel"


def test_new_columns_join_only_by_explicit_choice(tmp_path: Path) -> None:
    run(CARDS, tmp_path / "champion", **ROLES)
    wider = CARDS.with_columns(pl.col("amount").alias("leak"))
    champion = tmp_path / "champion" / "schema"
    kept_out = run(wider, tmp_path / "a", champion_schema_path=champion)
    assert "leak" not in kept_out.clean.columns
    assert "column 'leak' is not in the schema and was left out" in kept_out.reason.lower()
    let_in = run(wider, tmp_path / "b", champion_schema_path=champion, limits=Limits(accept_new_columns=True))
    assert "leak" in let_in.clean.columns
    assert "leak" in let_in.schema.columns


def test_wrong_parameters_are_refused_with_the_remedy_and_nothing_is_written(tmp_path: Path) -> None:
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"target": "frued"}, TargetError, "target 'frued' is not in the data; did you mean 'fraud'"),
        ({"key": ["id"]}, SchemaError, "key column 'id' is not in the data"),
        ({"time_column": "tiem"}, SchemaError, "did you mean 'time'"),
        ({"schema_text": "columns: {a: {type: x}}"}, SchemaError, "parameter 'schema_text': column 'a': type 'x' is none"),
        ({"limits": Limits(max_quarantined_share=5)}, ParameterError, "max_quarantined_share is 5"),
        ({"limits": Limits(scale_factor=1)}, ParameterError, "scale_factor is 1; it is a factor above 1"),
        ({"limits": Limits(min_rows=-1)}, ParameterError, "min_rows is -1"),
        ({"limits": Limits(now="today")}, ParameterError, "'now' is 'today'"),
    ]
    for options, error, message in cases:
        with pytest.raises(error, match=message):
            run(CARDS, tmp_path, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_table_with_nothing_in_common_is_invalid_and_set_aside_whole() -> None:
    result = assess(pl.DataFrame({"x": [1, 2]}), Schema({"a": ColumnSchema("integer")}))
    assert result.verdict == "invalid"
    assert "column 'a' is missing" in result.reason.lower()
    assert result.quarantined["x"].to_list() == [1, 2]


def test_validation_does_not_look_at_the_clock() -> None:
    old = CARDS.with_columns(pl.col("time").dt.offset_by("-30y"))
    schema = Schema.infer(old, time="time", target="fraud")
    assert assess(old, schema).verdict == "valid"
    assert assess(CARDS, schema).verdict == "valid"
    assert assess(CARDS, schema, Limits(now="2024-01-15")).kept["time"].max() <= datetime(2024, 1, 15)  # type: ignore[operator]
