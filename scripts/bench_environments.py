"""Whom we are compared with runs in an environment of its own, made from a hashed lock beside this file, below ``.bench/``."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".bench"


def environment_of(name: str) -> Path:
    """Return the folder of an environment."""
    return FOLDER / name


def install(name: str) -> str:
    """Make an environment from ``bench_NAME.txt`` where it is missing or older; return why it cannot be made, empty when it is there."""
    folder, lock = environment_of(name), ROOT / "scripts" / f"bench_{name}.txt"
    mark = folder / "installed"
    if mark.exists() and mark.read_text() == lock.read_text():
        return ""
    print(f"bench: installing {name} into {folder.relative_to(ROOT)}", flush=True)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n")
    uv = str(Path(sys.executable).with_name("uv"))
    environment = {**os.environ, "VIRTUAL_ENV": str(folder)}
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
        [uv, "pip", "sync", "--quiet", "--require-hashes", str(lock)],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"{' '.join(command[1:])}: {(done.stderr or done.stdout).strip()[-2000:]}"
    mark.write_text(lock.read_text())
    return ""
