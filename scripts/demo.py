"""The story of ``make demo``: four months of card transactions, four runs of the delivery pipeline, a gateway with customers, one table.

Month 1 promotes the first champion, and a gateway begins to serve it. In month 2 fraud has changed, and a challenger trained on it is
better: it goes live step by step, under customers' requests. Month 3 arrives with a fault upstream: its amounts are in cents. In month 4
a code table upstream is mixed up; no test on the month's own data can see that, because they are mixed up, too, but live requests do.
Everything lies under ``.ratchet/demo``, which each demo makes anew.
"""

import os
import re
import shutil
import sys
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table as Grid

from scripts.live import Traffic, gateway, requests, swap_channels

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".ratchet" / "demo"
CONFIG = ROOT / "pipelines" / "delivery" / "configs" / "card_transactions.yaml"
STORY = (
    (2, "fraud has changed; a better challenger goes live step by step", {}),
    (3, "a fault upstream: amounts arrive in cents", {"fault": True}),
    (4, "two codes are swapped upstream, which only live requests show", {"swapped": True}),
)
LIVE = {
    "policy": {
        "steps": [20, 50],
        "margin": 0.02,
        "minimum_requests": 250,
        "minimum_labels": 250,
        "grace": "4s",
        "latency_slack_ms": 1000.0,  # the gateway shares this machine with the pipeline and the customers
        "timeout_ms": 10_000,
    },
    "wait": "4m",
}


def main(seed: int = 0) -> int:
    """Tell the story; return 0 when every month ended as it should."""
    os.environ["RATCHET_HOME"] = str(HOME)
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    console = Console(highlight=False)
    runs = [play(console, 1, "the first champion", seed)]
    with gateway(HOME) as url:
        console.print(f"\nA gateway serves it on {url}, and customers begin to pay.\n")
        runs += [play(console, month, title, seed, url, **switches) for month, title, switches in STORY]
    table(console, runs)
    report = write_report(runs)
    console.print(f"\nOpen [bold]{report}[/]", soft_wrap=True)
    console.print("Then: [bold]RATCHET_HOME=.ratchet/demo .venv/bin/ratchet history card-fraud[/]", soft_wrap=True)
    wanted = ["promoted", "promoted", "invalid", "rejected"]
    return 0 if [run.outcome for run in runs] == wanted else 1


def play(console, month, title, seed, url="", *, fault=False, swapped=False):
    """Simulate a month and run the pipeline on it; where there is a gateway, with customers while a challenger is tried."""
    from ratchet.catalog import pipeline_path
    from ratchet.cli.progress import progress
    from ratchet.data.cards import write_cards
    from ratchet.submit.local import submit_local
    from ratchet.submit.parameters import CompiledPipeline

    console.rule(f"[bold]Month {month}[/]: {title}")
    source = HOME / f"month-{month}.csv"
    write_cards(source, months=[month], seed=seed, fault=fault)
    if swapped:
        swap_channels(source)
    given = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    pipeline = CompiledPipeline.read(pipeline_path("delivery"))
    arguments = pipeline.arguments({**given, **LIVE, "source": str(source)})
    with progress(pipeline.name, arguments["model"], console) as display:
        traffic = Traffic(url, arguments["model"], requests(month, seed, given["windows"]), console) if url else None

        def update(event, step):
            display.update(event, step)
            if traffic:
                traffic.start(event)

        run = submit_local(pipeline, arguments, on_event=update)
        display.close(run)
    return run


def rows(runs):
    """Return one row a run: verdict, why, the losses that decided, seconds."""
    return [
        {
            "run": f"month {month}",
            "verdict": run.outcome,
            "why": run.reason,
            "loss of champion": run.output("compare", "loss_champion"),
            "loss of challenger": run.output("compare", "loss_challenger"),
            "seconds": round(run.seconds, 1),
        }
        for month, run in enumerate(runs, start=1)
    ]


def table(console, runs):
    """Print the story as a table."""
    from ratchet.cli.progress import STYLES
    from ratchet.report.page import show

    grid = Grid(title="\nFour months", title_justify="left", title_style="bold", show_lines=True, expand=True)
    grid.add_column("run", no_wrap=True)
    grid.add_column("verdict", no_wrap=True)
    grid.add_column("why", ratio=1)
    grid.add_column("loss: champion → challenger", justify="right", width=21)
    grid.add_column("s", justify="right", no_wrap=True)
    for row in rows(runs):
        run, verdict, why, champion, challenger, seconds = row.values()
        losses = f"{show(champion)} → {show(challenger)}" if challenger is not None else "–"
        grid.add_row(run, f"[{STYLES.get(verdict, 'bold')}]{verdict}[/]", first_sentences(why), losses, f"{seconds:.0f}")
    console.print(grid)


def first_sentences(text, limit=180):
    """Return as many whole sentences as fit; the report has them all."""
    sentences = re.split(r"(?<=[.;]) ", text)
    kept = sentences[0]
    for sentence in sentences[1:]:
        if len(kept) + len(sentence) > limit:
            break
        kept += f" {sentence}"
    return kept.rstrip(";")


def write_report(runs) -> Path:
    """Write the page of the whole story."""
    from ratchet.report.page import Links, Page, Table

    links = {f"Month {month}: {run.outcome}": os.path.relpath(run.report, HOME) for month, run in enumerate(runs, start=1)}
    page = Page(
        "Four months of card transactions",
        reason="Each run is one month. Its page links to what every step had to say.",
        parts=[Links("Runs", links), Table("Outcomes", rows(runs), note="Loss: mean cost of a decision on the same holdout rows, 0 to 1.")],
    )
    path = HOME / "report.html"
    page.write_html(path)
    return path


if __name__ == "__main__":
    sys.exit(main())
