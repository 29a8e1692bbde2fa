"""``ratchet replay``: rows of a file as live requests, to rehearse a rollout."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer


def replay(
    name: Annotated[str, typer.Argument(help="Deployment to ask.")],
    source: Annotated[str, typer.Argument(help="Rows: a CSV or Parquet file, or a folder of Parquet files.")],
    to: Annotated[str, typer.Option("--to", help="URL of the gateway.")] = "http://127.0.0.1:8080",
    target: Annotated[str, typer.Option("--target", help="Column to send as labels; none to send none.")] = "",
    key: Annotated[str, typer.Option("--key", help="Column that keeps a client on one model.")] = "",
    time: Annotated[str, typer.Option("--time", help="Column of the rows' own times, for a gateway in rehearsal.")] = "",
    rate: Annotated[float, typer.Option("--rate", help="Requests a second.")] = 200.0,
    label_delay: Annotated[str, typer.Option("--label-delay", help="How late a label follows its row, e.g. 30s.")] = "0s",
    limit: Annotated[int, typer.Option("--limit", help="Rows at most; 0 for all.")] = 0,
) -> None:
    """Send rows to a gateway as live requests, and their labels after them.

    Exit status: 0 when every request was answered, else 1.
    """
    from ratchet.sources.ingestion import ingest
    from ratchet.traffic.replay import Replay

    with tempfile.TemporaryDirectory(prefix="ratchet-replay-") as folder:
        rows = Path(folder) / "rows"
        ingest(source, str(rows))
        sent = Replay(to, name, target, key, time, rate, label_delay, limit, prefix=f"replay-{Path(folder).name[-8:]}").send(rows)
    print(f"{sent.requests:,} requests, {sent.failed:,} without an answer, {sent.labels:,} labels taken")
    if sent.failed:
        print(f"the first: {sent.errors[0]}")
        raise typer.Exit(1)
