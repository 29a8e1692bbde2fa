"""Losses of pairs: which count, in which blocks, and what a label means."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.delivery.pair_losses import Judged, PairLosses, answers, at_once, closed, numbers
from ratchet.errors import ParameterError

BINARY = Judged("binary", ("0", "1"), 0.5)
COST = {"kind": "cost", "cost_false_negative": 4.0, "cost_false_positive": 1.0}


def pairs(labels, champion, challenger, unit="", available=None):
    n = len(labels)
    schema = {
        "request_id": pl.String,
        "unit": pl.String,
        "champion": pl.List(pl.Float64),
        "challenger": pl.List(pl.Float64),
        "label": pl.String,
    }
    rows = {
        "request_id": [f"r{i}" for i in range(n)],
        "unit": [unit] * n if isinstance(unit, str) else unit,
        "champion": champion,
        "challenger": challenger,
        "label": labels,
    }
    times = available or [float(i) for i in range(n)]
    return pl.DataFrame(rows, schema=schema).with_columns(available=pl.Series(times, dtype=pl.Float64))


def test_each_model_is_judged_at_its_own_threshold():
    found = PairLosses.of(
        pairs(["1", "0"], [[0.3], [0.3]], [[0.3], [0.3]]), BINARY, Judged("binary", ("0", "1"), 0.2), COST, block=1.0, as_of=99.0
    )
    assert found.champion.tolist() == [1.0, 0.0]
    assert found.challenger.tolist() == [0.0, 0.25]
    assert {name: losses.tolist() for name, losses in found.constants.items()} == {"0": [1.0, 0.0], "1": [0.0, 0.25]}


def test_a_pair_without_a_label_does_not_count_and_one_of_no_class_is_told():
    found = PairLosses.of(pairs([None, "1", "?"], [[0.9]] * 3, [[0.9]] * 3), BINARY, BINARY, COST, block=1.0, as_of=99.0)
    assert (len(found.champion), found.unusable) == (1, 1)


def test_a_missing_answer_is_no_number():
    found = PairLosses.of(pairs(["1"], [[0.9]], [None]), BINARY, BINARY, COST, block=1.0, as_of=99.0)
    assert np.isnan(found.challenger).all()


def test_models_that_predict_different_things_cannot_be_compared():
    with pytest.raises(ParameterError, match=r"cannot be compared.*same target"):
        PairLosses.of(pairs([], [], []), BINARY, Judged("binary", ("no", "yes"), 0.5), COST, block=1.0, as_of=0.0)


def test_a_block_is_one_unit_in_one_window():
    found = closed(
        pairs(["1"] * 6, [[0.5]] * 6, [[0.5]] * 6, ["a", "a", "b", "a", "b", "c"], [0.0, 1.0, 2.0, 10.0, 11.0, 25.0]), 10.0, 20.0
    )
    blocks = found["block"].to_list()
    assert len(blocks) == 5, "the window of the last one is open"
    assert blocks[0] == blocks[1]
    assert len(set(blocks)) == 4


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 100)), min_size=1), st.floats(0, 150), st.floats(0, 50))
def test_a_later_look_sees_what_an_earlier_one_saw_and_then_more(rows, at, later):
    rows = sorted(rows, key=lambda row: row[1])
    table = pairs(["1"] * len(rows), [[0.5]] * len(rows), [[0.5]] * len(rows), [unit for unit, _ in rows], [time for _, time in rows])
    early, late = closed(table, 10.0, at), closed(table, 10.0, at + later)
    assert late.head(early.height)["request_id"].to_list() == early["request_id"].to_list()
    same = late.head(early.height)["block"].to_list()
    pairing = dict(zip(same, early["block"].to_list(), strict=True))
    assert [pairing[block] for block in same] == early["block"].to_list()
    assert len(set(pairing.values())) == len(pairing), "no block is joined by a later look"
    assert not set(late.tail(late.height - early.height)["block"].to_list()) & set(same), "nor grows"


def test_labels_of_several_classes_and_of_numbers():
    assert numbers(pl.Series(["b", "x"]), "multiclass", ("a", "b")).tolist() == [1.0, -1.0]
    assert np.isnan(numbers(pl.Series(["1.5", "inf", "nan", "?"]), "regression", ())).tolist() == [False, True, True, True]


def test_a_label_that_is_neither_normal_nor_an_anomaly_says_nothing_of_a_request():
    assert numbers(pl.Series(["anomaly", "normal"]), "anomaly", ("normal", "anomaly")).tolist() == [1.0, 0.0]
    assert np.isnan(numbers(pl.Series(["unsure"]), "anomaly", ("normal", "anomaly"))).all()
    found = PairLosses.of(
        pairs(["1", "?"], [[0.9]] * 2, [[0.9]] * 2), *[Judged("anomaly", ("0", "1"), 0.5)] * 2, COST, block=1.0, as_of=99.0
    )
    assert (len(found.champion), found.unusable) == (1, 1)


def test_answers_of_the_wrong_width_are_no_numbers():
    found = answers(pl.Series([[0.2, 0.8], None, [1.0]], dtype=pl.List(pl.Float64)), 2)
    assert found.shape == (3, 2)
    assert np.isnan(found[1:]).all()


ALARM = {"kind": "alarm"}


def requests(flagged, other, labels=None):
    n = len(flagged)
    table = pairs(labels or [None] * n, [[float(error)] for error in flagged], [[float(error)] for error in other])
    return table.with_columns(time=pl.Series([float(n - i) for i in range(n)], dtype=pl.Float64), available=pl.lit(None, pl.Float64))


def test_an_alarm_counts_without_a_label_from_its_request_on():
    table = at_once(requests([3.0, 1.0, 0.0], [0.0, 0.0, 9.0], ["1", None, "?"]))
    assert table["available"].to_list() == [1.0, 2.0, 3.0]
    found = PairLosses.of(table, Judged("anomaly", (), 2.0), Judged("anomaly", (), 5.0), ALARM, block=0.0, as_of=99.0)
    assert found.champion.tolist() == [0.0, 0.0, 1.0]
    assert found.challenger.tolist() == [1.0, 0.0, 0.0]
    assert (found.constants, found.unusable) == ({}, 0), "never to raise an alarm would be the best constant answer"


def test_a_model_that_never_had_labels_is_compared_by_those_of_the_other():
    labelled, silent = Judged("anomaly", ("0", "1"), 0.5), Judged("anomaly", (), 2.0)
    rows = pairs(["1", "0"], [[1.0], [1.0]], [[1.0], [3.0]])
    for champion, challenger in ((labelled, silent), (silent, labelled)):
        found = PairLosses.of(rows, champion, challenger, COST, block=0.0, as_of=99.0)
        assert list(found.constants) == ["0", "1"]
    assert found.champion.tolist() == [1.0, 0.0]
    assert found.challenger.tolist() == [0.0, 0.25]


def test_an_alarm_is_comparable_whatever_labels_would_mean_and_only_with_an_anomaly():
    one, other = Judged("anomaly", ("0", "1"), 2.0), Judged("anomaly", ("no", "yes"), 2.0)
    assert PairLosses.of(at_once(requests([1.0], [3.0])), one, other, ALARM, block=0.0, as_of=99.0).challenger.tolist() == [1.0]
    with pytest.raises(ParameterError, match="cannot be compared"):
        PairLosses.of(at_once(requests([1.0], [3.0])), one, BINARY, ALARM, block=0.0, as_of=99.0)
    with pytest.raises(ParameterError, match="cannot be compared"):
        PairLosses.of(pairs([], [], []), one, other, COST, block=0.0, as_of=99.0)


@given(st.lists(st.floats(0, 100), min_size=1, unique=True), st.integers(0, 100))
def test_requests_that_come_later_never_change_the_order_of_those_before(times, cut):
    table = requests([1.0] * len(times), [1.0] * len(times)).with_columns(time=pl.Series(times, dtype=pl.Float64))
    early = at_once(table.filter(pl.col("time") <= cut))
    assert at_once(table).head(early.height).equals(early)
