"""The live part of the demo: a gateway process, customers' requests to it with labels that follow, and what the ledger says meanwhile."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import polars as pl

READY_SECONDS = 60
CARD = "customer_id"


@contextmanager
def gateway(home):
    """Run ``ratchet serve`` on the demo's installation; give its URL."""
    ready = home / "gateway.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "ratchet.cli.main", "serve", "--port", "0", "--roll", "2", "--ready-file", str(ready)]
    with (home / "gateway.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ)
    try:
        until = time.monotonic() + READY_SECONDS
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"the gateway did not start; see {home / 'gateway.log'}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{json.loads(ready.read_text(encoding='utf-8'))['port']}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def requests(month, seed, windows):
    """Return a month's payments in random order, with their windows, as a feature store would add them."""
    from ratchet.data.cards import simulate_cards
    from ratchet.features.windows import compute_windows, parse_windows

    cards = simulate_cards([month], seed=seed)
    rows = cards.hstack(compute_windows(cards, parse_windows(windows), "time"))
    return rows.sort("time").tail(rows.height // 2).sample(fraction=1.0, shuffle=True, seed=seed)


class Traffic:
    """Customers who pay while a rollout is under way, and the ledger's looks as they happen."""

    def __init__(self, url, name, rows, console):
        self.url, self.name, self.rows, self.console = url, name, rows, console
        self.stopped = threading.Event()
        self.answered = self.failed = self.shown = 0
        self.threads = []

    def start(self, event):
        """Begin when the pipeline has begun the rollout; end when it has advanced it."""
        from ratchet.submit.events import StepEnded

        if not isinstance(event, StepEnded):
            return
        if event.step == "begin-rollout" and self.under_trial():
            self.threads = [threading.Thread(target=work, daemon=True) for work in (self.pay, self.tell)]
            for thread in self.threads:
                thread.start()
        if event.step == "advance-rollout":
            self.stopped.set()
            for thread in self.threads:
                thread.join(30)
            if self.threads:
                self.console.print(f"      {self.answered:,} customers were answered meanwhile, {self.failed:,} were not", style="dim")

    def under_trial(self):
        """Return whether a challenger is."""
        return self.ledger().deployment(self.name).challenger is not None

    def ledger(self):
        from ratchet.delivery.ledger import Ledger
        from ratchet.settings import load_settings

        return Ledger.open(load_settings())

    def pay(self):
        """Send the rows, a few at a time, until told to stop."""
        from ratchet.traffic.replay import Replay

        for number, first in enumerate(range(0, self.rows.height, 400)):
            if self.stopped.is_set():
                return
            replay = Replay(self.url, self.name, target="fraud", key=CARD, rate=800.0, prefix=f"pay-{time.time_ns()}-{number}")
            sent = replay.send(self.rows.slice(first, 400))
            self.answered += sent.requests - sent.failed
            self.failed += sent.failed

    def tell(self):
        """Print each look that moves the challenger."""
        from ratchet.delivery.ledger import Ledger

        ledger: Ledger = self.ledger()
        begun = ledger.deployment(self.name).begun
        while not self.stopped.wait(0.5):
            for look in ledger.looks(self.name, begun)[self.shown :]:
                self.shown += 1
                seen = look.facts.get("seen", {})
                at = f"{look.phase} {look.percent}%" if look.phase == "canary" else look.phase
                told = f"      {at:<11} {seen.get('total', 0):>6,} requests {seen.get('pairs', 0):>6,} labels   {look.verdict}"
                self.console.print(told, style="dim" if look.verdict == "pending" else "cyan", highlight=False)


def swap_channels(path):
    """Write the same payments with two channels swapped, as a code table that went wrong upstream would."""
    rows = pl.read_csv(path, try_parse_dates=True)
    swapped = {"chip": "contactless", "contactless": "chip"}
    rows.with_columns(pl.col("channel").replace(swapped)).write_csv(path)
