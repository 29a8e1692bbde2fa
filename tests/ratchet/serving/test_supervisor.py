"""The supervisor: a worker that dies is replaced without an error for anyone, and a stop finishes what is in flight."""

import json
import os
import signal
import subprocess
import sys
import threading

import httpx
import polars as pl
import psutil
import pytest

from ratchet.errors import SettingsError
from ratchet.serving.supervisor import bind
from ratchet.settings import Settings
from ratchet.traffic.store import TrafficStore
from tests.ratchet.serving.gateways import GOOD, ROOT, promote, running, until

pytestmark = pytest.mark.slow  # real child processes, each with a model to load


@pytest.fixture
def home(tmp_path, taught):
    promote(Settings(home=tmp_path), "fraud", taught("binary"), "1")
    return tmp_path


def test_a_port_that_is_taken_is_said_so():
    with bind("127.0.0.1", 0) as taken, pytest.raises(SettingsError, match="choose another --port"):
        bind("127.0.0.1", taken.getsockname()[1])


def test_who_connects_while_a_killed_worker_is_replaced_is_answered(home):
    with running(home) as gateway:
        assert gateway.predict().status_code == 200
        first = gateway.told["workers"]
        psutil.Process(first[0]).kill()
        with httpx.Client(base_url=f"http://127.0.0.1:{gateway.port}", timeout=60) as client:
            assert client.post("/predict/fraud", json=GOOD).status_code == 200
        until(lambda: gateway.told["workers"] != first)
        assert "signal 9" in (home / "log").read_text()


@pytest.mark.slow
def test_two_workers_answer_and_their_metrics_are_summed(home):
    with running(home, "--workers", "2") as gateway:
        until(lambda: len(gateway.told["workers"]) == 2)
        for _ in range(20):
            assert httpx.post(f"http://127.0.0.1:{gateway.port}/predict/fraud", json=GOOD, timeout=60).status_code == 200
        for _ in range(4):
            page = httpx.get(f"http://127.0.0.1:{gateway.port}/metrics", timeout=60).text
            assert 'ratchet_requests_total{deployment="fraud",phase="stable",status="200",version="1"} 20.0' in page


def test_a_stop_finishes_what_is_in_flight_and_what_was_answered_is_recorded(home):
    answers = []
    with running(home) as gateway:
        assert gateway.predict().status_code == 200
        url, stopped = f"http://127.0.0.1:{gateway.port}/predict/fraud", threading.Event()

        def ask() -> None:
            with httpx.Client(timeout=60) as client:
                while not stopped.is_set():
                    try:
                        answers.append(client.post(url, json=GOOD))
                    except httpx.TransportError:  # it does not accept any more
                        return

        askers = [threading.Thread(target=ask) for _ in range(4)]
        for asker in askers:
            asker.start()
        until(lambda: len(answers) > 20)
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(60) == 0
        stopped.set()
        for asker in askers:
            asker.join()
    assert {answer.status_code for answer in answers} == {200}
    recorded = TrafficStore(home / "traffic").predictions("fraud").select(pl.col("request_id")).collect()["request_id"].to_list()
    assert {answer.json()["request_id"] for answer in answers} <= set(recorded)


@pytest.mark.slow
def test_workers_end_when_the_supervisor_is_killed(home):
    with running(home) as gateway:
        gateway.predict()
        workers = [psutil.Process(worker) for worker in gateway.told["workers"]]
        gateway.process.kill()
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert not alive


@pytest.mark.slow
def test_a_setting_that_cannot_be_used_ends_the_gateway_with_a_reason(tmp_path):
    environment = {**os.environ, "RATCHET_HOME": str(tmp_path), "RATCHET_PERSONAL_COLUMNS": '{"card": "hash"}', "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "ratchet.cli.main", "serve", "--port", "0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "RATCHET_PERSONAL_SALT" in done.stderr


def test_a_new_deployment_is_picked_up(tmp_path, taught):
    with running(tmp_path) as gateway:
        answer = gateway.predict()
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        promote(Settings(home=tmp_path), "later", taught("binary"), "1")
        until(lambda: gateway.predict(name="later").status_code == 200)
        assert json.loads(gateway.client.get("/v2/health/ready").text)["ready"] is True
