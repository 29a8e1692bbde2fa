"""A simulator of card transactions, so that the whole loop can be seen without anybody's data.

Customers live somewhere, pay at terminals near them and online, at their own hours and prices. Three frauds hide among them: stolen cards
that buy far more than their owner does, terminals that are skimmed for some days, and, from the second month on, stolen card numbers that
are spent online at night. So a model of the first month is good, and one that has also seen the second is better. Two switches make
trouble: `drift` moves what people do, slowly; `fault` breaks the feed, whose amounts turn into cents.

A month depends on nothing but the seed and its number, so months can be made one at a time, on different days, and still belong
together.
"""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from ratchet.data.population import CATEGORIES, PRICES, Floats, Ints, Population, make_population
from ratchet.errors import ParameterError

FIRST_YEAR = 2024
FIRST_FRAUD_ONLINE = 2  # month in which card numbers begin to be stolen
FAULT_DAY = 8  # day of a faulty month from which amounts are cents
DAY = 86_400  # seconds
CARD_LIMIT = 1_000.0  # no purchase is above it


@dataclass(frozen=True, slots=True)
class Purchases:
    """Transactions before they are a table; all of shape (n,). Times are in seconds of the month."""

    second: Floats
    customer: Ints
    terminal: Ints
    amount: Floats
    channel: npt.NDArray[np.str_]
    fraud: npt.NDArray[np.bool_]


def simulate_cards(
    months: Sequence[int] | int, *, seed: int, customers: int = 800, drift: bool = False, fault: bool = False
) -> pl.DataFrame:
    """Return the card transactions of some months, in order of time.

    Args:
        months: Number of a month (1 is January 2024), or several.
        seed: Same seed, same customers, same transactions.
        customers: How many; each makes about two transactions a day, 48,000 a month for 800.
        drift: Behaviour moves from month to month: prices rise, more is bought online and later in the day.
        fault: In the last of the months, amounts are in cents from the 8th day on.

    Returns:
        transaction_id (unique over months), time, customer_id, terminal_id, merchant_category, channel, amount, and fraud
        (0 or 1; about 0.8% are 1 in the first month and 1.7% later).

    Raises:
        ParameterError: no month, a month below 1, or fewer than 10 customers.

    Source:
        After the idea of Le Borgne et al., "Reproducible Machine Learning for Credit Card Fraud Detection" (2022), chapter 3.3; the
        design is another.

    >>> january = simulate_cards(1, seed=7, customers=20)
    >>> january.columns
    ['transaction_id', 'time', 'customer_id', 'terminal_id', 'merchant_category', 'channel', 'amount', 'fraud']
    >>> january.equals(simulate_cards([1, 2], seed=7, customers=20).head(january.height))
    True
    """
    wanted = [months] if isinstance(months, int) else sorted(set(months))
    if not wanted or wanted[0] < 1:
        raise ParameterError(f"months is {months!r}; give the numbers of one or more months, from 1")
    if customers < 10:
        raise ParameterError(f"customers is {customers}; give at least 10")
    people = make_population(seed, customers)
    return pl.concat([_month(month, seed, people, drift, fault and month == wanted[-1]) for month in wanted])


def write_cards(
    path: str | Path, months: Sequence[int] | int, *, seed: int, customers: int = 800, drift: bool = False, fault: bool = False
) -> int:
    """Write card transactions to a file, which appears whole or not at all.

    Args:
        path: Ends in .csv or .parquet, which says the format.
        months: As for `simulate_cards`, like all that follows.
        seed: Of everything random.
        customers: How many.
        drift: Behaviour moves from month to month.
        fault: The last month's amounts turn into cents.

    Returns:
        Number of rows written.

    Raises:
        ParameterError: the path ends otherwise, or see `simulate_cards`.
    """
    target = Path(path)
    if target.suffix not in (".csv", ".parquet"):
        raise ParameterError(f"output {str(path)!r} ends in {target.suffix or 'nothing'!r}; name a .csv or .parquet file")
    frame = simulate_cards(months, seed=seed, customers=customers, drift=drift, fault=fault)
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.with_name(f".{target.name}.part")
    try:
        if target.suffix == ".csv":
            frame.write_csv(staging, datetime_format="%Y-%m-%dT%H:%M:%S")
        else:
            frame.write_parquet(staging)
        staging.replace(target)
    finally:
        staging.unlink(missing_ok=True)
    return frame.height


def _month(month: int, seed: int, people: Population, drift: bool, fault: bool) -> pl.DataFrame:
    year, number = FIRST_YEAR + (month - 1) // 12, (month - 1) % 12 + 1
    days = calendar.monthrange(year, number)[1]
    rng = np.random.default_rng([seed, 1, month])
    moved = min(month - 1, 12) if drift else 0
    everyday, at_night = _everyday(rng, people, days, moved), _spent_at_night(rng, people, days, month)
    hit = _skimmed(people, _stolen(rng, people, everyday), seed, month)
    return _table(month, datetime(year, number, 1), people, _joined([hit, at_night]), fault)


def _everyday(rng: np.random.Generator, people: Population, days: int, moved: int) -> Purchases:
    count = rng.poisson(people.rate * days)
    customer = np.repeat(np.arange(len(count)), count)
    rows = len(customer)
    hour = np.mod(rng.normal(people.hour[customer] + 0.25 * moved, 3.5), 24)
    second = rng.integers(0, days, rows) * DAY + hour * 3600
    online = rng.random(rows) < np.minimum(people.online[customer] * 1.08**moved, 0.95)
    near = people.near[customer, np.minimum(rng.geometric(0.2, rows) - 1, people.near.shape[1] - 1)]
    terminal = np.where(online, rng.choice(people.web, rows), near)
    amount = people.price[customer] * PRICES[people.category[terminal]] * rng.lognormal(-0.1, 0.45, rows) * 1.06**moved
    amount *= np.where(rng.random(rows) < 0.004, rng.uniform(3, 6, rows), 1)  # a dear purchase is not always a fraud
    channel = np.where(online, "online", np.where(rng.random(rows) < 0.65, "contactless", "chip"))
    return Purchases(second, customer, terminal, amount, channel, np.zeros(rows, bool))


def _stolen(rng: np.random.Generator, people: Population, all_: Purchases) -> Purchases:
    """Let thieves buy with some stolen cards: several times what the owner usually pays, by chip, at the owner's hours."""
    hit = (rng.random(len(all_.amount)) < 0.007) & (all_.channel != "online")
    rows = int(hit.sum())
    amount, channel = all_.amount.copy(), all_.channel.copy()
    amount[hit] = people.price[all_.customer[hit]] * rng.uniform(4, 9, rows)
    channel[hit] = "chip"
    return Purchases(all_.second, all_.customer, all_.terminal, amount, channel, all_.fraud | hit)


def _skimmed(people: Population, all_: Purchases, seed: int, month: int) -> Purchases:
    """Let some terminals be skimmed for 4 to 10 days, within the month: most of what is paid there by magnetic stripe is a fraud."""
    rng = np.random.default_rng([seed, 2, month])
    shops = np.setdiff1d(np.arange(len(people.category)), people.web)
    victims = rng.choice(shops, max(1, len(shops) // 25), replace=False)
    fraud, amount, channel = all_.fraud.copy(), all_.amount.copy(), all_.channel.copy()
    for terminal in victims:
        first, length = rng.uniform(0, 20), rng.uniform(4, 10)
        there = (all_.terminal == terminal) & (all_.second >= first * DAY) & (all_.second < (first + length) * DAY)
        hit = there & (rng.random(len(there)) < 0.6)
        amount[hit] *= rng.uniform(1.0, 2.0, int(hit.sum()))
        channel[hit] = np.where(rng.random(int(hit.sum())) < 0.7, "chip", channel[hit])
        fraud |= hit
    return Purchases(all_.second, all_.customer, all_.terminal, amount, channel, fraud)


def _spent_at_night(rng: np.random.Generator, people: Population, days: int, month: int) -> Purchases:
    """Let some card numbers be spent online for 2 to 4 nights: digital goods at ordinary prices."""
    customers = len(people.price)
    victims = rng.choice(customers, max(2, customers // 14), replace=False) if month >= FIRST_FRAUD_ONLINE else np.empty(0, int)
    first = np.floor((np.arange(len(victims)) + rng.random(len(victims))) / max(len(victims), 1) * days)  # all month long
    nights = rng.integers(2, 5, len(victims))
    count = rng.poisson(2.0 * nights)
    customer = np.repeat(victims, count)
    night = np.repeat(first, count) + np.floor(rng.random(len(customer)) * np.repeat(nights, count))
    customer, night = customer[night < days], night[night < days]
    second = night * DAY + np.mod(rng.normal(2.5, 1.5, len(customer)), 24) * 3600
    digital = people.web[people.category[people.web] == CATEGORIES.index("digital")]
    amount = people.price[customer] * rng.lognormal(0.25, 0.4, len(customer))
    terminal, channel = rng.choice(digital, len(customer)), np.full(len(customer), "online")
    return Purchases(second, customer, terminal, amount, channel, np.ones(len(customer), bool))


def _joined(parts: Sequence[Purchases]) -> Purchases:
    return Purchases(*(np.concatenate([getattr(part, name) for part in parts]) for name in Purchases.__dataclass_fields__))


def _table(month: int, start: datetime, people: Population, all_: Purchases, fault: bool) -> pl.DataFrame:
    order = np.argsort(all_.second, kind="stable")
    second = np.floor(all_.second[order]).astype(np.int64)
    amount = np.clip(np.round(all_.amount[order], 2), 0.5, CARD_LIMIT)
    if fault:
        amount = np.where(second >= (FAULT_DAY - 1) * DAY, np.round(amount * 100), amount)
    moments = pl.Series(second * 1_000_000).cast(pl.Duration("us")) + start
    customer, terminal = all_.customer[order], all_.terminal[order]
    return pl.DataFrame(
        {
            "transaction_id": month * 10_000_000 + np.arange(len(order)),
            "time": moments.cast(pl.Datetime("us")),
            "customer_id": [f"C{number:05}" for number in customer.tolist()],
            "terminal_id": [f"T{number:04}" for number in terminal.tolist()],
            "merchant_category": np.array(CATEGORIES)[people.category[terminal]],
            "channel": all_.channel[order],
            "amount": amount,
            "fraud": all_.fraud[order].astype(np.int64),
        }
    )
