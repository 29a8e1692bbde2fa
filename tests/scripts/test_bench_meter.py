"""The meter on processes that do something known; what is asserted is what is counted, not how fast the machine is."""

import sys

import pytest

from scripts.bench_meter import measured

WORK = """
import time
began = time.process_time()
while time.process_time() - began < 0.3:
    pass
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_work_is_counted_and_is_no_import(tmp_path):
    done = measured(python(WORK), folder=tmp_path / "new")
    (process,) = done.processes
    assert done.status == 0
    assert 0.3 <= process.spent <= done.spent
    assert process.importing < 0.3
    assert process.seconds <= done.seconds + 0.05


@pytest.mark.slow
def test_an_import_is_told_from_work_and_by_its_package(tmp_path):
    (process,) = measured(python("import polars\nimport importlib; importlib.import_module('pandas')" + WORK), folder=tmp_path).processes
    assert 0 < process.importing <= process.spent - 0.3
    assert {"polars", "pandas"} <= set(process.packages)
    assert sum(process.packages.values()) == pytest.approx(process.importing, rel=0.2)


def test_memory_is_the_process_s_own_and_not_its_parent_s(tmp_path):
    code = "import subprocess, sys; large = b'x' * 200_000_000; subprocess.run([sys.executable, '-c', 'pass'])"
    done = measured(python(code), folder=tmp_path)
    parent, child = done.processes
    assert parent.peak > 190
    assert child.peak < 100
    assert done.family(parent) == [parent, child]
    assert done.family(child) == [child]
    assert done.peak == parent.peak


def test_a_failure_keeps_its_status_and_what_was_printed(tmp_path):
    done = measured(python("import sys; print('so far'); sys.exit('and no further')"), folder=tmp_path)
    assert done.status == 1
    assert "so far" in done.output
    assert "and no further" in done.output


def test_an_option_is_read_from_the_command_line(tmp_path):
    (process,) = measured([*python("pass"), "--step", "ingest"], folder=tmp_path).processes
    assert process.argument("--step") == "ingest"
    assert process.argument("ingest") == ""
