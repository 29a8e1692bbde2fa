"""One call: how long is waited before it is tried again, and what is told of one that failed."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from ratchet.errors import SubmissionError
from ratchet.submit.kubeflow.calls import Calls, Patience
from ratchet.submit.kubeflow.installation import Installation
from tests.kubeflow import Fault, Kubeflow


def listing(server: Kubeflow, patience: Patience) -> Any:
    client = Installation.read({"host": server.url}).client()
    return Calls(server.url, 60, patience).ask("list runs", client.runs.run_service_list_runs)


def test_pauses_double_up_to_the_longest(kubeflow: Kubeflow) -> None:
    pauses: list[float] = []
    kubeflow.faults["list runs"] = [Fault(503)] * 5
    listing(kubeflow, Patience(attempts=6, first=1.0, longest=6.0, sleep=pauses.append))
    assert pauses == [1, 2, 4, 6, 6]


def test_the_server_s_own_pause_is_kept_within_bounds(kubeflow: Kubeflow) -> None:
    pauses: list[float] = []
    waits = ["7", "3600", "soon", "-5"]
    kubeflow.faults["list runs"] = [Fault(429, headers={"Retry-After": wait}) for wait in waits]
    listing(kubeflow, Patience(attempts=5, first=1.0, longest=30.0, sleep=pauses.append))
    assert pauses == [7, 30, 4, 8]


def test_a_server_that_never_answers_is_not_waited_for_for_ever() -> None:
    class Silent(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            done.wait()

    done = threading.Event()
    with HTTPServer(("127.0.0.1", 0), Silent) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        client = Installation.read({"host": url}).client()
        calls = Calls(url, 1, Patience(attempts=1))
        try:
            with pytest.raises(SubmissionError, match=r"did not answer when asked to list runs: .*timed out.*check 'host'"):
                calls.ask("list runs", client.runs.run_service_list_runs)
        finally:
            done.set()
            server.shutdown()
            thread.join()


def test_a_long_answer_is_one_short_line(kubeflow: Kubeflow) -> None:
    kubeflow.faults["list runs"] = [Fault(400, "line\n" * 1000)]
    with pytest.raises(SubmissionError) as caught:
        listing(kubeflow, Patience())
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 600
