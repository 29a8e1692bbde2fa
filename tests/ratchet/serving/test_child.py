"""The child as a process of its own, spoken to over its socket."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import polars as pl
import psutil
import pytest

from ratchet.models.autoencoder.native import Encoded
from ratchet.models.package import ModelPackage
from ratchet.serving.child import memory, score_spans
from ratchet.serving.frames import pack, pack_rows, receive, unpack_scored

pytestmark = pytest.mark.slow  # real child processes, each with a model to load

PARENT = """
import os, socket, subprocess, sys, time
ours, theirs = socket.socketpair()
command = [sys.executable, "-m", "ratchet.serving.child", str(theirs.fileno()), str(os.getpid())]
child = subprocess.Popen(command, pass_fds=[theirs.fileno()])
keeps = os.dup(theirs.fileno())
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def child() -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "ratchet.serving.child", str(theirs.fileno()), str(os.getpid())]
    process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
    theirs.close()
    with ours:
        yield process, ours
    process.kill()
    process.wait()


def ask(connection: socket.socket, header: dict, body: bytes | memoryview = b"") -> tuple[dict, bytes]:
    connection.sendall(pack(header, body))
    answer = receive(connection)
    assert answer is not None
    return answer


def load(connection: socket.socket, ref, key: str = "") -> dict:
    return ask(connection, {"op": "load", "path": ref.uri, "ref": asdict(ref), "key": key})[0]


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def wait(true: Callable[[], bool]) -> None:
    for _ in range(1500):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def test_it_scores_as_the_package_would_and_ends_when_the_line_is_closed(child, stored, frame):
    process, line = child
    assert load(line, stored[1]) == {"op": "ready"}
    header, body = ask(line, {"op": "score", "id": 7, "spans": [2, 3], "wants": [], "tell": True}, pack_rows(frame(5)))
    assert header["id"] == 7
    assert [(made, error) for made, _, error in header["outcome"]] == [(2, ""), (3, "")]
    assert all(milliseconds > 0 for _, milliseconds, _ in header["outcome"])
    assert np.frombuffer(body).tolist() == ModelPackage.load(stored[1].uri).predict(frame(5)).tolist()
    line.shutdown(socket.SHUT_RDWR)
    assert process.wait(30) == 0


def test_a_package_without_the_key_s_signature_is_not_loaded(child, stored):
    answer = load(child[1], stored[0], key=b"key".hex())
    assert answer["op"] == "failed"
    assert "not signed" in answer["error"]


def test_one_request_that_fails_does_not_spoil_the_others_of_its_batch(stored):
    package = ModelPackage.load(stored[0].uri)

    class Picky:
        def predict(self, matrix: pl.DataFrame) -> np.ndarray:
            if 2.0 in matrix["amount"]:
                raise RuntimeError("native trouble")
            return package.native.predict(matrix)

    frame = pl.DataFrame({"amount": [1.0, 2.0, 3.0, 4.0], "hour": [1, 2, 3, 4]})
    outcome, predictions, _ = score_spans(replace(package, native=Picky()), frame, [1, 1, 2])
    assert [made for made, _, _ in outcome] == [1, 0, 2]
    assert "native trouble" in outcome[1][2]
    assert predictions.tolist() == package.predict(frame[[0, 2, 3]]).tolist()


def test_a_batch_in_which_every_request_fails_is_all_errors(stored, frame):
    outcome, predictions, _ = score_spans(ModelPackage.load(stored[0].uri), frame(4).drop("hour"), [1, 3])
    assert [made for made, _, _ in outcome] == [0, 0]
    assert all("hour" in error for _, _, error in outcome)
    assert not predictions.size


@pytest.mark.parametrize("stopped", [pytest.param(False, marks=pytest.mark.slow), True])
def test_it_dies_with_its_parent_even_when_it_hangs(stopped):
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    wait(lambda: Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == "1000")
    if stopped:
        os.kill(pid, signal.SIGSTOP)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait(lambda: gone(pid))


def test_a_signal_that_is_meant_for_the_gateway_does_not_end_it(child, stored):
    process, line = child
    load(line, stored[0])
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    assert load(line, stored[0]) == {"op": "ready"}


def test_its_memory_is_that_of_a_process():
    assert 1 << 20 < memory() < 1 << 40


ODD = pl.DataFrame({"amount": [4.0, 90.0, 18.0], "hour": [3, 4, 11], "shop": ["a", "b", "z"]})


@pytest.mark.parametrize("tell", [True, False])
def test_details_are_computed_when_wanted_and_told_when_somebody_waits(child, encoders, tell):
    _, line = child
    assert load(line, encoders[1]) == {"op": "ready"}
    asked = {"op": "score", "id": 1, "spans": [1, 2], "wants": ["embedding"], "tell": tell}
    header, body = ask(line, asked, pack_rows(ODD))
    predictions, details = unpack_scored(header, body)
    encoded = ModelPackage.load(encoders[1].uri).encode(ODD)
    assert predictions.tolist() == encoded.errors.tolist()
    assert {name: values.tolist() for name, values in details.items()} == ({"embedding": encoded.embedding.tolist()} if tell else {})
    assert len(body) == 3 * 8 + (3 * 2 * 4 if tell else 0), "a frame is no larger than it must be"


def test_one_request_that_fails_does_not_take_the_details_of_the_others(encoders):
    package = ModelPackage.load(encoders[1].uri)
    more = pl.concat([ODD, ODD[:1].with_columns(shop=pl.lit("broken"))])

    class Picky:
        def encode(self, matrix: pl.DataFrame, shares: bool = False) -> Encoded:
            if "broken" in matrix["shop"]:
                raise RuntimeError("native trouble")
            return package.native.encode(matrix, shares)

    outcome, predictions, details = score_spans(replace(package, native=Picky()), more, [1, 1, 1, 1], {"embedding", "shares"})
    encoded = package.encode(ODD, shares=True)
    assert [made for made, _, _ in outcome] == [1, 1, 1, 0]
    assert "native trouble" in outcome[3][2]
    assert predictions.tolist() == encoded.errors.tolist()
    assert details["embedding"].tolist() == encoded.embedding.tolist()
    assert details["shares"].tolist() == encoded.shares.tolist()
