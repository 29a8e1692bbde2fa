"""Sample data comes from the command, and the same seed gives the same file."""

from pathlib import Path

from typer.testing import CliRunner

from ratchet.cli.main import app


def sampled(path: Path, *options: str) -> bytes:
    result = CliRunner().invoke(app, ["sample", "card-transactions", "--out", str(path), *options], catch_exceptions=False)
    assert result.exit_code == 0
    assert str(path) in result.stdout
    return path.read_bytes()


def test_the_same_seed_gives_the_same_bytes_and_a_fault_does_not(tmp_path: Path) -> None:
    first = sampled(tmp_path / "a.csv", "--seed", "3")
    assert first == sampled(tmp_path / "b.csv", "--seed", "3")
    assert first != sampled(tmp_path / "c.csv", "--seed", "3", "--fault")
    assert first.startswith(b"transaction_id,time,")
