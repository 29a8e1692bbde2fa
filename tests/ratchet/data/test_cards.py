"""The simulator's months belong together, have the frauds they say, and hold the fault that was switched on."""

from pathlib import Path

import polars as pl
import pytest

from ratchet.data.cards import simulate_cards, write_cards
from ratchet.data.digests import content_digest
from ratchet.errors import ParameterError
from ratchet.sources.ingestion import ingest

NIGHT_ONLINE = (pl.col("channel") == "online") & (pl.col("time").dt.hour() < 5)


def test_a_month_is_the_same_whichever_months_are_asked_for() -> None:
    both = simulate_cards([3, 2], seed=4, customers=50)
    assert both.filter(pl.col("time").dt.month() == 3).equals(simulate_cards(3, seed=4, customers=50))
    assert not simulate_cards(3, seed=5, customers=50).equals(simulate_cards(3, seed=4, customers=50))


def test_customers_persist_and_rows_are_in_order_of_time() -> None:
    first, second = simulate_cards(1, seed=4, customers=50), simulate_cards(13, seed=4, customers=50)
    assert set(first["customer_id"]) & set(second["customer_id"])
    assert second["time"].is_sorted()
    assert (second["time"].dt.year() == 2025).all()
    assert first["transaction_id"].n_unique() == first.height


def test_the_defaults_are_a_demo_of_seconds_with_rare_frauds() -> None:
    for month, seed in ((1, 0), (2, 1), (3, 2)):
        frame = simulate_cards(month, seed=seed)
        assert 40_000 <= frame.height <= 60_000
        assert 0.005 <= frame["fraud"].mean() <= 0.025  # type: ignore[operator]
        assert frame.null_count().sum_horizontal()[0] == 0


def test_the_second_month_holds_a_fraud_that_the_first_does_not() -> None:
    shares = [simulate_cards(month, seed=6, customers=200).filter(NIGHT_ONLINE)["fraud"].mean() for month in (1, 2)]
    assert shares[0] < 0.05  # type: ignore[operator]
    assert shares[1] > 0.3  # type: ignore[operator]


def test_a_fault_turns_amounts_into_cents_from_the_eighth_day_of_the_last_month_on() -> None:
    sound, faulty = (simulate_cards([1, 2], seed=6, customers=50, fault=fault) for fault in (False, True))
    ratio = (faulty["amount"] / sound["amount"]).round(6)
    after = (sound["time"].dt.month() == 2) & (sound["time"].dt.day() >= 8)
    assert (ratio.filter(after) == 100).all()
    assert (ratio.filter(~after) == 1).all()
    assert faulty.drop("amount").equals(sound.drop("amount"))


def test_drift_moves_prices_hours_and_channels_from_the_second_month_on() -> None:
    assert simulate_cards(1, seed=6, customers=50, drift=True).equals(simulate_cards(1, seed=6, customers=50))
    still, moved = (simulate_cards(6, seed=6, customers=200, drift=drift).filter(pl.col("fraud") == 0) for drift in (False, True))
    assert moved["amount"].median() > 1.2 * still["amount"].median()  # type: ignore[operator]
    assert (moved["channel"] == "online").mean() > 1.2 * (still["channel"] == "online").mean()  # type: ignore[operator]


@pytest.mark.parametrize("name", ["cards.csv", "cards.parquet"])
def test_what_is_written_is_what_was_simulated(name: str, tmp_path: Path) -> None:
    rows = write_cards(tmp_path / "made" / name, 1, seed=8, customers=50)
    info = ingest(tmp_path / "made" / name, tmp_path / "data", time_column="time")
    assert info.rows == rows
    assert info.content_digest == content_digest(simulate_cards(1, seed=8, customers=50))
    assert [path.name for path in (tmp_path / "made").iterdir()] == [name]


def test_wrong_parameters_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"ends in '\.xlsx'; name a \.csv or \.parquet file"):
        write_cards(tmp_path / "cards.xlsx", 1, seed=1)
    with pytest.raises(ParameterError, match="months is 0"):
        simulate_cards(0, seed=1)
    with pytest.raises(ParameterError, match=r"months is \[\]"):
        simulate_cards([], seed=1)
    with pytest.raises(ParameterError, match="customers is 3; give at least 10"):
        simulate_cards(1, seed=1, customers=3)
