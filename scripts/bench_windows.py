"""The fifteen windows of the fraud handbook on its 1.75 million rows, beside pandas and polars as a user would write them.

Each works in a process of its own; afterwards every value of every row is compared with ours. A card's windows end before the row itself
(``closed="left"``); a terminal's end seven days before it, for which pandas has no word: there, as in the handbook, the sum over a week
is taken from the sum over a week and more.

    .venv/bin/python -m scripts.bench_windows
    ROWS=200000 .venv/bin/python -m scripts.bench_windows  # the first rows only
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "fraud_handbook" / "transactions.parquet"
ROWS = int(os.environ.get("ROWS", "0"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
KEY, TIME, CARD, TERMINAL, AMOUNT, FRAUD = "TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD"
DAYS, DELAY = (1, 7, 30), 7


def ours(source: Path) -> "pl.DataFrame":
    """`compute_windows`, of the windows that the pipeline's configuration declares."""
    import polars as pl
    import yaml

    from ratchet.features.windows import compute_windows, parse_windows

    declared = yaml.safe_load((ROOT / "pipelines/delivery/configs/fraud_handbook.yaml").read_text(encoding="utf-8"))["windows"]
    frame = pl.read_parquet(source)
    return frame.select(KEY).hstack(compute_windows(frame, parse_windows(declared), TIME).get_columns())


def polars_rolling(source: Path) -> "pl.DataFrame":
    """`DataFrame.rolling`, with an offset for the delay."""
    import polars as pl

    frame = pl.read_parquet(source)
    cards, terminals = frame.sort(CARD, TIME, KEY), frame.sort(TERMINAL, TIME, KEY)
    made, late = {KEY: cards[KEY]}, {KEY: terminals[KEY]}
    for days in DAYS:
        rolled = cards.rolling(TIME, period=f"{days}d", offset=f"-{days}d", closed="left", group_by=CARD)
        found = rolled.agg(n=pl.col(AMOUNT).count(), mean=pl.col(AMOUNT).mean(), max=pl.col(AMOUNT).max())
        made |= {f"card_count_{days}d": found["n"], f"card_mean_{days}d": found["mean"], f"card_max_{days}d": found["max"]}
        rolled = terminals.rolling(TIME, period=f"{days}d", offset=f"-{days + DELAY}d", closed="left", group_by=TERMINAL)
        found = rolled.agg(n=pl.len(), risk=pl.col(FRAUD).mean())
        late |= {f"terminal_count_{days}d": found["n"], f"terminal_risk_{days}d": found["risk"]}
    return pl.DataFrame(made).join(pl.DataFrame(late), on=KEY)


def pandas_rolling(source: Path) -> "pl.DataFrame":
    """`groupby().rolling`, and for the delay the difference of two."""
    import numpy as np
    import pandas as pd
    import polars as pl

    frame = pd.read_parquet(source, columns=[KEY, TIME, CARD, TERMINAL, AMOUNT, FRAUD])
    cards, terminals = frame.sort_values([CARD, TIME, KEY]), frame.sort_values([TERMINAL, TIME, KEY])
    made, late = {KEY: cards[KEY].to_numpy()}, {KEY: terminals[KEY].to_numpy()}

    def frauds(days: int) -> pd.DataFrame:
        rolled = terminals.groupby(TERMINAL).rolling(f"{days}D", on=TIME, closed="left")[FRAUD]
        return rolled.agg(["count", "sum"]).fillna(0).reset_index(drop=True)

    not_known = frauds(DELAY)
    for days in DAYS:
        rolled = cards.groupby(CARD).rolling(f"{days}D", on=TIME, closed="left")[AMOUNT]
        made |= {f"card_{name}_{days}d": getattr(rolled, name)().to_numpy() for name in ("count", "mean", "max")}
        made[f"card_count_{days}d"] = np.nan_to_num(made[f"card_count_{days}d"])
        known = frauds(days + DELAY) - not_known
        late |= {f"terminal_count_{days}d": known["count"], f"terminal_risk_{days}d": known["sum"] / known["count"].replace(0, np.nan)}
    return pl.from_pandas(pd.DataFrame(made).merge(pd.DataFrame(late), on=KEY))


CONTENDERS: Mapping[str, Callable[[Path], "pl.DataFrame"]] = {
    "**`compute_windows`**": ours,
    "polars `rolling`": polars_rolling,
    "pandas `rolling`": pandas_rolling,
}


def one(who: str, source: Path, result: Path) -> None:
    """Let one contender work, print the seconds, and keep what it made."""
    began = time.perf_counter()
    made = CONTENDERS[who](source)
    print(json.dumps(time.perf_counter() - began))
    made.sort(KEY).write_parquet(result)


def measured(who: str, source: Path, result: Path) -> dict[str, float]:
    """Let a contender work in a process of its own; seconds of its work, processor seconds of the process, and its peak memory in MB."""
    process = subprocess.Popen([sys.executable, "-m", "scripts.bench_windows", who, str(source), str(result)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as stream:
        printed = stream.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"bench: {who} ended with status {process.returncode}")
    return {"work": json.loads(printed), "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}


def farthest(mine: "pl.DataFrame", theirs: "pl.DataFrame") -> float:
    """Return the largest relative difference between two tables of windows; infinite where a value is missing in one only."""
    import polars as pl

    worst = 0.0
    for name in (name for name in mine.columns if name != KEY):
        first, second = (side[name].cast(pl.Float64).fill_nan(None) for side in (mine, theirs))
        if not first.is_null().equals(second.is_null()):
            return float("inf")
        worst = max(worst, float(((first - second).abs() / first.abs().clip(1)).max() or 0.0))  # type: ignore[arg-type]
    return worst


def main() -> int:
    """Print the table; return 1 where a contender finds other values than ours."""
    from scripts.bench_machine import machine

    if not DATA.exists():
        raise SystemExit(f"bench: {DATA} is not there; put the data sets beside the checkout")
    rounds: dict[str, list[dict[str, float]]] = {who: [] for who in CONTENDERS}
    with tempfile.TemporaryDirectory(prefix="ratchet-bench-", dir=os.environ.get("BENCH_DIR")) as name:
        folder, source = Path(name), DATA
        if ROWS:
            source = folder / "first.parquet"
            code = "import sys, polars as pl; pl.scan_parquet(sys.argv[1]).head(int(sys.argv[3])).collect().write_parquet(sys.argv[2])"
            subprocess.run([sys.executable, "-c", code, str(DATA), str(source), str(ROWS)], check=True)
        results = {who: folder / f"{place}.parquet" for place, who in enumerate(CONTENDERS)}
        for _ in range(ROUNDS):
            for who, result in results.items():
                rounds[who].append(measured(who, source, result))
        import polars as pl  # only now: the peak that is reported of a process begins with its parent's

        made = {who: pl.read_parquet(result) for who, result in results.items()}
    mine = made[next(iter(made))]
    print(f"{len(mine):,} rows, {mine.width - 1} windows, best of {ROUNDS}; {machine(('polars', 'numpy', 'pandas'))}\n")
    print("| | its work, s | processors, s | peak MB | largest difference from ours |\n|---|---|---|---|---|")
    apart = {who: farthest(mine, found) for who, found in made.items()}
    for who, found in rounds.items():
        best = {name: min(figures[name] for figures in found) for name in found[0]}
        print(f"| {who} | {best['work']:.2f} | {best['cpu']:.2f} | {best['peak']:,.0f} | {apart[who]:.1e} |")
    return 0 if max(apart.values()) <= 1e-9 else 1


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(main())
    one(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
