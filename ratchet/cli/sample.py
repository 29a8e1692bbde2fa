"""``ratchet sample``: data to try the loop on."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Kind(StrEnum):
    """What can be sampled."""

    card_transactions = "card-transactions"


def sample(
    kind: Annotated[Kind, typer.Argument(help="What to simulate.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write: .csv or .parquet.")] = Path("card-transactions.csv"),
    month: Annotated[list[int] | None, typer.Option("--month", "-m", help="Month of the story, from 1; may be repeated.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same file.")] = 0,
    drift: Annotated[bool, typer.Option("--drift", help="Let customers' behaviour move over the months.")] = False,
    fault: Annotated[bool, typer.Option("--fault", help="Let a column's unit change upstream.")] = False,
) -> None:
    """Write simulated card transactions, with fraud in them."""
    from ratchet.data.cards import write_cards

    rows = write_cards(out, months=month or [1], seed=seed, drift=drift, fault=fault)
    print(f"{out}: {rows:,} transactions of month {', '.join(str(m) for m in month or [1])}, seed {seed}")
