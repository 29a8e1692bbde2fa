"""A lock between processes of one machine, for the few things that have no transactions of their own: a file, MLflow's first start.

The kernel frees it when its holder dies, however it dies, so nothing is ever left locked. What is shared between machines is guarded
by the database, not by this.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: str | Path) -> Iterator[None]:
    """Hold a lock file while the block runs; wait for it as long as another process holds it.

    Args:
        path: The lock file; made where absent, and left there, because removing it would let two processes hold "the" lock.
    """
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
