"""The verdict of ``make bench``: the gateway and the best of the others, side by side and measured in turn.

A shared machine's speed drifts within minutes by more than what is looked for, so figures that were taken one after the other compare the
minutes and not the servers. Here each round measures both, and the verdict is on the median of the rounds' ratios.
"""

import statistics
from pathlib import Path

from scripts.bench_load import Figures, load
from scripts.bench_servers import Server

FACTOR = 3.0
ROUNDS = 5
Round = tuple[Figures, Figures]


def duel(wrk: str, ours: Server, other: Server, bodies: dict[str, Path], seconds: int) -> list[Round]:
    """Return what both servers did in each round, ours first.

    Args:
        wrk: Path of wrk.
        ours: The gateway.
        other: Its rival.
        bodies: File of bodies by form.
        seconds: Of each measurement; a second of load comes before it.
    """

    def measured(server: Server) -> Figures:
        load(wrk, server.url, bodies[server.form], 1)
        return load(wrk, server.url, bodies[server.form], seconds)

    return [(measured(ours), measured(other)) for _ in range(ROUNDS)]


def verdict(rounds: list[Round], rival: str) -> tuple[bool, str]:
    """Return whether ours answers at least three times as many requests a second at a lower P99, by the medians; and a sentence on that.

    Args:
        rounds: As `duel` returns them.
        rival: Name of the other server.
    """
    mine, theirs = zip(*rounds, strict=True)
    ratios = sorted(one.rate / other.rate for one, other in rounds)
    ratio = statistics.median(ratios)
    rates, tails = ([statistics.median(getattr(one, name) for one in side) for side in (mine, theirs)] for name in ("rate", "p99"))
    failed = sum(one.failed for pair in rounds for one in pair)
    holds = not failed and ratio >= FACTOR and tails[0] < tails[1]
    told = f"{rates[0]:,.0f}/s against {rates[1]:,.0f}/s of {rival}, {ratio:.2f} × ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    wanted = f"at least {FACTOR:g} × at a lower P99: {'holds' if holds else 'does NOT hold'}"
    return holds, f"{told}, P99 {tails[0]:.1f} ms against {tails[1]:.1f}{f', {failed} FAILED' if failed else ''}; {wanted}"
