"""Hand-made traffic, and the table that the judge must see of it at each time."""

import random

import polars as pl
import pytest

from ratchet.errors import StoreError
from ratchet.traffic.frames import frame
from ratchet.traffic.pairs import canary, coverage, paired, served
from ratchet.traffic.records import Record
from ratchet.traffic.store import TrafficStore
from tests.ratchet.traffic.examples import both, label, prediction


def stored(folder, *journals: list[Record]) -> TrafficStore:
    store = TrafficStore(folder / "traffic")
    for number, records in enumerate(journals):
        path = folder / f"w-{number}.sealed"
        path.write_bytes(b"".join(map(frame, records)))
        store.roll(path)
    return store


def seen(store: TrafficStore, as_of: float, *columns: str) -> list[tuple]:
    return paired(store, "fraud", rollout=5, as_of=as_of, label_delay=10).select(columns).rows()


def test_a_pair_is_a_row_that_both_models_answered(tmp_path):
    alone = [prediction("champion only", time=0.0), prediction("challenger only", time=0.0, role="challenger")]
    store = stored(tmp_path, [*both("a", time=1.0), *alone], [label("a", "1", received=5.0)])
    table = paired(store, "fraud", rollout=5, as_of=100.0, label_delay=10.0)
    assert table.to_dicts() == [
        {
            "request_id": "a",
            "time": 1.0,
            "unit": "card-1",
            "champion": [0.25],
            "challenger": [0.75],
            "champion_error": "",
            "challenger_error": "",
            "served_role": "champion",
            "label": "1",
            "available": 11.0,
        }
    ]


def test_nothing_recorded_gives_the_same_columns(tmp_path):
    empty, full = TrafficStore(tmp_path / "none"), stored(tmp_path, both("a"), [label("a")])
    assert (
        paired(empty, "fraud", rollout=5, as_of=0, label_delay=0).schema
        == paired(full, "fraud", rollout=5, as_of=1e12, label_delay=0).schema
    )
    assert served(empty, "fraud", rollout=5, as_of=0).schema == served(full, "fraud", rollout=5, as_of=1e12).schema
    assert canary(empty, "fraud", rollout=5).schema == canary(full, "fraud", rollout=5).schema


def test_a_label_counts_when_it_is_there_and_its_delay_is_over_and_never_before(tmp_path):
    store = stored(
        tmp_path, both("a", time=100.0), [label("a", "1", received=130.0)], both("b", time=100.0), [label("b", "0", received=101.0)]
    )
    columns = ("request_id", "label", "available")
    assert seen(store, 99.9, *columns) == []
    assert seen(store, 109.9, *columns) == [("a", None, None), ("b", None, None)]
    assert seen(store, 110.0, *columns) == [("b", "0", 110.0), ("a", None, None)]
    assert seen(store, 129.9, *columns) == [("b", "0", 110.0), ("a", None, None)]
    assert seen(store, 130.0, *columns) == [("b", "0", 110.0), ("a", "1", 130.0)]


def test_the_first_label_stands_however_often_another_comes(tmp_path):
    store = stored(
        tmp_path,
        [label("a", "changed", received=120.0), label("nobody", "1", received=1.0)],
        [*both("a", time=100.0), label("a", "first", received=105.0), label("a", "first", received=105.0)],
    )
    for as_of in (110.0, 119.0, 500.0):
        assert seen(store, as_of, "request_id", "label", "available") == [("a", "first", 110.0)]


def test_order_is_by_availability_then_request_id_and_the_same_for_every_order_of_arrival(tmp_path):
    records: list[Record] = []
    for number in range(40):
        records += both(f"{number:02}", time=float(number), unit=f"card-{number % 3}")
        records += [label(f"{number:02}", str(number % 2), received=float(50 + number * 7 % 20))] * (number % 3)
    expected = None
    for seed in range(5):
        random.Random(seed).shuffle(records)
        (tmp_path / str(seed)).mkdir()
        table = paired(stored(tmp_path / str(seed), records[:50], records[50:]), "fraud", rollout=5, as_of=60.0, label_delay=20.0)
        keys = [(row["available"] is None, row["available"] or 0.0, row["request_id"]) for row in table.to_dicts()]
        assert keys == sorted(keys)
        assert expected is None or table.equals(expected)
        expected = table


def test_what_one_look_has_seen_a_later_look_sees_first_in_the_same_order(tmp_path):
    chance = random.Random(7)
    records = [one for number in range(200) for one in both(f"{number:03}", time=chance.uniform(0, 100))]
    labels = [label(f"{chance.randrange(220):03}", str(chance.randrange(2)), received=chance.uniform(0, 200)) for _ in range(300)]
    store = stored(tmp_path, records, labels[:100], labels[100:])
    former: list[tuple] = []
    for as_of in range(0, 240, 20):
        now = [row for row in seen(store, float(as_of), "request_id", "label", "available") if row[1] is not None]
        assert now[: len(former)] == former
        assert all(row[2] <= as_of for row in now)
        former = now
    assert len(former) > 100


def test_a_model_that_failed_has_no_prediction_and_says_why(tmp_path):
    failed = prediction("a", role="challenger", served=False, prediction=(), error="timeout", inputs=None)
    store = stored(tmp_path, [prediction("a"), failed])
    row = paired(store, "fraud", rollout=5, as_of=1e12, label_delay=0).row(0, named=True)
    assert (row["champion"], row["challenger"], row["champion_error"], row["challenger_error"]) == ([0.25], None, "", "timeout")


def test_who_was_served_is_told(tmp_path):
    challenger = [prediction("b", served=False, inputs=None), prediction("b", role="challenger")]
    neither = [prediction("c", served=False), prediction("c", role="challenger", served=False)]
    store = stored(tmp_path, [*both("a"), *challenger, *neither])
    assert seen(store, 1e12, "request_id", "served_role") == [("a", "champion"), ("b", "challenger"), ("c", "")]


def test_a_request_id_that_is_used_again_counts_once_and_never_mixes_two_requests(tmp_path):
    again = [prediction("a", time=50.0, prediction=(0.9,)), prediction("a", time=50.0, role="challenger", prediction=(0.8,), served=False)]
    lone = [prediction("b", time=1.0, prediction=(0.1,)), *both("b", time=2.0)]
    store = stored(tmp_path, again, [*both("a", time=1.0), *lone, *both("a", time=1.0)])
    assert seen(store, 100.0, "request_id", "time", "champion", "challenger") == [("a", 1.0, [0.25], [0.75]), ("b", 2.0, [0.25], [0.75])]


def test_only_the_rollout_asked_for_is_seen(tmp_path):
    store = stored(tmp_path, [*both("now", rollout=5), *both("before", rollout=2), *both("other", deployment="churn")])
    assert seen(store, 1e12, "request_id") == [("now",)]


def test_in_watch_the_other_is_the_previous_champion(tmp_path):
    watch = [prediction("a", phase="watch"), prediction("a", role="previous", served=False, prediction=(0.5,), phase="watch")]
    store = stored(tmp_path, [*watch, *both("b")])
    table = paired(store, "fraud", rollout=5, as_of=1e12, label_delay=0, other="previous")
    assert table.select("request_id", "challenger", "served_role").rows() == [("a", [0.5], "champion")]


def test_coverage_is_of_the_rows_whose_label_is_due(tmp_path):
    rows = [one for number in range(4) for one in both(f"{number}", time=float(number * 10))]
    store = stored(tmp_path, [*rows, label("0", received=1.0), label("3", received=31.0)])
    for as_of, share in ((5.0, 0.0), (10.0, 1.0), (20.0, 0.5), (39.0, 1 / 3), (40.0, 0.5)):
        assert coverage(paired(store, "fraud", rollout=5, as_of=as_of, label_delay=10.0), as_of=as_of, label_delay=10.0) == share


def test_served_is_what_clients_got(tmp_path):
    failed = prediction("c", time=0.0, prediction=(), error="broken", rollout=0)
    store = stored(tmp_path, [*both("a", time=2.0), *both("b", time=1.0), failed, label("a", True, received=3.0)])
    columns = ("request_id", "role", "prediction", "inputs", "label", "available")
    ordinary = '{"amount":3.5,"shop":"x"}'
    assert served(store, "fraud", rollout=5, as_of=9.0).select(columns).rows() == [
        ("b", "champion", [0.25], ordinary, None, None),
        ("a", "champion", [0.25], ordinary, "true", 3.0),
    ]
    assert served(store, "fraud", rollout=5, as_of=2.9)["label"].to_list() == [None, None]
    assert served(store, "fraud", rollout=None, as_of=9.0)["request_id"].to_list() == ["c", "b", "a"]
    assert served(store, "fraud", rollout=0, as_of=9.0)["prediction"].to_list() == [None]


def test_canary_is_every_prediction_of_that_phase(tmp_path):
    store = stored(tmp_path, [*both("b", phase="canary", percent=25), *both("a", phase="canary", percent=5), *both("shadowed")])
    table = canary(store, "fraud", rollout=5)
    assert table.columns == ["role", "request_id", "time", "unit", "served", "latency_ms", "error", "percent"]
    assert table.select("request_id", "role", "percent").rows() == [
        ("a", "challenger", 5),
        ("a", "champion", 5),
        ("b", "challenger", 25),
        ("b", "champion", 25),
    ]


@pytest.mark.parametrize("kind", ["predictions", "labels"])
def test_a_damaged_part_is_named_and_never_left_out(tmp_path, kind):
    store = stored(tmp_path, [*both("a"), label("a")])
    (part,) = store.root.glob(f"fraud/{kind}/*/*.parquet")
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    with pytest.raises(StoreError, match=f"{kind}.*w-0.*is damaged"):
        paired(store, "fraud", rollout=5, as_of=1e12, label_delay=0)


def test_rows_keep_their_unit(tmp_path):
    store = stored(tmp_path, [*both("a#0", unit="x"), *both("a#1", unit="")])
    assert seen(store, 1e12, "request_id", "unit") == [("a#0", "x"), ("a#1", "")]
    assert isinstance(canary(store, "fraud", rollout=5), pl.DataFrame)
