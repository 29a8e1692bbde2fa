"""A stand-in for the docker command, for what no machine without a registry can do: it writes down what it was asked and answers as told.

No image can be pushed here, so what a push leaves in the engine (a digest in the repository) is answered in docker's own form.
"""

import os
import sys
from pathlib import Path

PROGRAM = """#!{python}
import pathlib, sys
folder = pathlib.Path({folder!r})
with (folder / "asked").open("a") as asked:
    print(*sys.argv[1:], file=asked)
for line in (folder / "answers").read_text().splitlines():
    part, status, answer = line.split("|", 2)
    if part in " ".join(sys.argv[1:]):
        print(answer, file=sys.stderr if int(status) else sys.stdout)
        sys.exit(int(status))
"""


class Engine:
    """The command in a folder of its own, to be put first on the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "answers").touch()
        (folder / "asked").touch()
        (folder / "docker").write_text(PROGRAM.format(python=sys.executable, folder=str(folder)), encoding="utf-8")
        (folder / "docker").chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"}

    @property
    def asked(self) -> list[str]:
        return (self.folder / "asked").read_text(encoding="utf-8").splitlines()

    def answer(self, part: str, answer: str, status: int = 0) -> None:
        """Answer a command that holds a text; what is given first wins."""
        with (self.folder / "answers").open("a", encoding="utf-8") as answers:
            answers.write(f"{part}|{status}|{answer}\n")
