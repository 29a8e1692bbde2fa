"""The hook of `bench_meter`: loaded as ``sitecustomize`` it measures the process that it is in and writes that down at its end.

Only the standard library, and little of it, so that it runs in any environment and does not count in what it measures.
"""

import os
import sys
import time
from typing import Any

VARIABLE = "BENCH_METER"


class Imports:
    """Processor time of imports: in all, and by package, where what a module's own imports took is not its own."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.total = 0.0
        self.packages: dict[str, float] = {}
        self._inside: list[float] = []

    def install(self) -> None:
        """Time each module that is loaded from here on, by the statement and by ``import_module`` alike."""
        machinery: Any = sys.modules["_frozen_importlib"]
        find = machinery._find_and_load

        def timed(name: str, import_: object) -> object:
            began = time.thread_time()
            self._inside.append(0.0)
            try:
                return find(name, import_)
            finally:
                self._took(name.partition(".")[0], time.thread_time() - began)

        machinery._find_and_load = timed

    def _took(self, package: str, seconds: float) -> None:
        inside = self._inside.pop()
        self.packages[package] = self.packages.get(package, 0.0) + seconds - inside
        if self._inside:
            self._inside[-1] += seconds
        else:
            self.total += seconds


def watch(folder: str) -> None:
    """Measure this process from here on, and write it into a folder when it ends."""
    import atexit

    imports = Imports()
    imports.install()
    atexit.register(record, folder, imports)


def record(folder: str, imports: Imports) -> None:
    """Write down what this process has cost until now."""
    import json
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    with open("/proc/self/stat") as text:
        began = int(text.read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    with open("/proc/self/status") as text:
        status = dict(line.split(":", 1) for line in text if ":" in line)
    values = {
        "identity": os.getpid(),
        "parent": os.getppid(),
        "arguments": sys.orig_argv,
        "began": began,
        "seconds": time.clock_gettime(time.CLOCK_BOOTTIME) - began,
        "spent": used.ru_utime + used.ru_stime,
        "importing": imports.total,
        "packages": dict(sorted(imports.packages.items(), key=lambda item: -item[1])[:12]),
        "peak": int(status["VmHWM"].split()[0]) / 1024,  # ru_maxrss would begin at what the parent had
    }
    with open(os.path.join(folder, f"{os.getpid()}.json"), "w") as file:
        json.dump(values, file)


if __name__ == "sitecustomize" and os.environ.get(VARIABLE):
    watch(os.environ[VARIABLE])
