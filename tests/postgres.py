"""A real PostgreSQL for tests, from the binaries in the `pgserver` wheel.

Not `pgserver.get_server`: it starts the server detached from the tests, so nothing tells when it is gone, and it cannot be killed and
started again on the same data, which tests of the ledger need.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
import warnings
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

SECONDS = 60.0


class PostgreSQL:
    """A server with its data and its Unix socket in a folder of its own, as a child of this process."""

    def __init__(self) -> None:
        """Make the data folder; `start` starts the server.

        Not below pytest's own folder: each pytest session that starts on the machine shuts that to all but its owner, and as root the
        server runs as another user, who would then lose its data from under it.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())  # without it, the wheel warns
            from pgserver._commands import POSTGRES_BIN_PATH
            from pgserver.utils import ensure_folder_permissions, ensure_prefix_permissions
        self.binaries = Path(POSTGRES_BIN_PATH)
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short, because a socket's path may have 107 bytes
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.server: subprocess.Popen[bytes] | None = None
        self.user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        if self.user:
            ensure_prefix_permissions(self.binaries)
            ensure_folder_permissions(self.binaries, 0o055)
            ensure_folder_permissions(self.binaries.parent / "lib", 0o044)
            shutil.chown(self.folder, self.user)
        options = ["--auth=trust", "--encoding=utf8", "--username=postgres", "--no-sync"]
        self._run([self.binaries / "initdb", "-D", self.data, *options])

    @property
    def url(self) -> str:
        """URL of its database ``postgres``."""
        return f"postgresql+psycopg://postgres@/postgres?host={self.folder}"

    def start(self) -> None:
        """Start the server, unless it runs, and wait until it answers."""
        if self.server is not None and self.server.poll() is None:
            return
        until = time.monotonic() + SECONDS
        while not self._answers():
            if time.monotonic() > until:
                raise TimeoutError(f"PostgreSQL did not start in {SECONDS:g} s; its log ends: {self.log.read_text()[-2000:]}")
            if self.server is None or self.server.poll() is not None:  # backends of a killed server may hold it up for a moment
                with self.log.open("ab") as log:
                    command = [self.binaries / "postgres", "-D", self.data, "-k", self.folder, "-h", "", "-c", "max_connections=200"]
                    self.server = subprocess.Popen(command, stdout=log, stderr=log, user=self.user, start_new_session=True)
            time.sleep(0.1)

    def kill(self) -> None:
        """Kill the server as a crash would, with no time to write."""
        assert self.server is not None
        os.kill(self.server.pid, signal.SIGKILL)
        self.server.wait()

    def stop(self) -> None:
        """Stop the server and remove what it wrote."""
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(signal.SIGINT)
            try:
                self.server.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_database(self) -> str:
        """Make sure that the server runs, create an empty schema, and return a URL whose tables are in it."""
        self.start()
        name = f"ledger_{uuid.uuid4().hex}"
        with create_engine(self.url, poolclass=NullPool).begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {name}"))
        return f"{self.url}&options=-csearch_path%3D{name}%20-csynchronous_commit%3Doff"

    def _answers(self) -> bool:
        try:
            with create_engine(self.url, poolclass=NullPool).connect():
                return True
        except OperationalError:
            return False

    def _run(self, command: list[str | Path]) -> None:
        subprocess.run(command, check=True, capture_output=True, user=self.user, cwd="/")
