"""What figures were measured on: the machine, and the versions of the libraries that matter."""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path


def machine(libraries: Iterable[str]) -> str:
    """Return processor, memory, versions and how busy the machine was, in a line.

    Args:
        libraries: Names of distributions.
    """
    try:
        found = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        name = found[0].partition(":")[2].strip()
    except (OSError, IndexError):
        name = platform.processor() or platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{library} {version(library)}" for library in libraries)
    return (
        f"{os.cpu_count()} cores of {name}, {memory:.0f} GiB; Python {platform.python_version()}, {versions}; "
        f"load before {os.getloadavg()[0]:.1f}"
    )
