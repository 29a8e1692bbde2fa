"""wrk's output as the bench reads it."""

import pytest

from scripts.bench_load import SCRIPT, Figures

PRINTED = """Running 8s test @ http://127.0.0.1:8080/v2/models/bench/infer
  1 threads and 16 connections
  8192 requests in 8.00s, 3.52MB read
bench requests 8192
bench microseconds 8000000
bench failed 3
bench p50 3170
bench p95 4730
bench p99 6570
"""


def test_the_figures_of_a_run_are_read() -> None:
    assert Figures.parse(PRINTED) == Figures(requests=8192, rate=1024.0, p50=3.17, p95=4.73, p99=6.57, failed=3)


@pytest.mark.parametrize(
    "printed", ["unable to connect to 127.0.0.1:8080 Connection refused", PRINTED.replace("microseconds 8000000", "microseconds 0")]
)
def test_a_run_without_figures_is_quoted(printed: str) -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1"):
        Figures.parse(printed)


def test_the_script_prints_every_figure_that_is_read() -> None:
    told = SCRIPT.read_text(encoding="utf-8")
    assert all(f"bench {name}" in told for name in ("requests", "microseconds", "failed", "p%d"))
    assert "{ 50, 95, 99 }" in told
