from scripts.bench_machine import machine


def test_the_machine_and_the_versions_are_named():
    told = machine(("polars",))
    assert "cores of" in told
    assert "GiB; Python 3." in told
    assert "polars " in told
