"""Load for ``make bench``: wrk, the figures that it prints, and where to get it."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_suffix(".lua")
CONNECTIONS = 16


@dataclass(frozen=True)
class Figures:
    """What a contender did in one cell.

    Attributes:
        requests: Requests answered.
        rate: Of them per second.
        p50: Milliseconds; so are p95 and p99.
        failed: Requests without an answer of status 2xx or 3xx.
    """

    requests: int
    rate: float
    p50: float
    p95: float
    p99: float
    failed: int = 0

    @classmethod
    def parse(cls, printed: str) -> "Figures":
        """Return what the script in ``bench_load.lua`` printed.

        Raises:
            ValueError: a figure is not there; the text is quoted.
        """
        words = [line.split() for line in printed.splitlines() if line.startswith("bench ")]
        found = {word[1]: float(word[2]) for word in words if len(word) == 3}
        try:
            p50, p95, p99 = (found[name] / 1000 for name in ("p50", "p95", "p99"))
            return cls(int(found["requests"]), found["requests"] / found["microseconds"] * 1e6, p50, p95, p99, int(found["failed"]))
        except (KeyError, ZeroDivisionError) as error:
            raise ValueError(f"wrk did not print its figures ({error!r}): {printed[-2000:]!r}") from error


def find_wrk() -> str:
    """Return wrk's path; on Debian and as root, install it where it is missing.

    Raises:
        SystemExit: it is missing; saying what to install.
    """
    if shutil.which("wrk") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("bench: installing wrk with apt-get", flush=True)
        subprocess.run(["apt-get", "install", "--yes", "--quiet", "wrk"], check=False, stdout=subprocess.DEVNULL)
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit(
            "bench: wrk is missing, which makes the load; on Debian and Ubuntu: apt-get install wrk, elsewhere: https://github.com/wg/wrk"
        )
    return found


def load(wrk: str, url: str, bodies: Path, seconds: int) -> Figures:
    """Post a file's lines to a URL on 16 connections, and return what came of it."""
    options = [
        "--threads",
        "1",
        "--connections",
        str(CONNECTIONS),
        "--duration",
        f"{seconds}s",
        "--timeout",
        "10s",
        "--script",
        str(SCRIPT),
    ]
    done = subprocess.run([wrk, *options, url, "--", str(bodies)], capture_output=True, text=True, check=False)
    return Figures.parse(done.stdout + done.stderr)
