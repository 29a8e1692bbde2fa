"""Environments of those we are compared with."""

from scripts import bench_environments
from scripts.bench_environments import environment_of, install


def test_an_environment_that_is_there_is_not_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(bench_environments, "FOLDER", tmp_path)
    environment_of("zenml").mkdir()
    (environment_of("zenml") / "installed").write_text((bench_environments.ROOT / "scripts" / "bench_zenml.txt").read_text())
    assert install("zenml") == ""
    assert not (tmp_path / ".gitignore").exists()


def test_what_cannot_be_installed_is_told_and_not_taken_for_installed(tmp_path, monkeypatch):
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "bench_other.txt").write_text("pandas==3.0.6\n")  # a lock without hashes
    monkeypatch.setattr(bench_environments, "ROOT", tmp_path)
    monkeypatch.setattr(bench_environments, "FOLDER", tmp_path / ".bench")
    assert "hash" in install("other")
    assert not (environment_of("other") / "installed").exists()
    assert (tmp_path / ".bench" / ".gitignore").read_text() == "*\n"
