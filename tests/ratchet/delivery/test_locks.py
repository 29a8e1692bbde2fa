"""One holder at a time, and none after it died."""

import multiprocessing
import os
import signal
import threading

from ratchet.delivery.locks import exclusive


def test_two_holders_never_overlap(tmp_path):
    inside, seen = 0, []

    def hold() -> None:
        nonlocal inside
        for _ in range(50):
            with exclusive(tmp_path / "folder" / "lock"):
                inside += 1
                seen.append(inside)
                inside -= 1

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 200


def test_a_killed_holder_leaves_nothing_locked(tmp_path):
    told, tell = multiprocessing.Pipe()
    child = os.fork()
    if child == 0:
        with exclusive(tmp_path / "lock"):
            tell.send("held")
            signal.pause()
    assert told.recv() == "held"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with exclusive(tmp_path / "lock"):
        pass
