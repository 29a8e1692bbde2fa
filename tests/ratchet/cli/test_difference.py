"""Two versions are compared wherever they lie, and the exit status says what a script wants to know."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from ratchet.cli.main import app
from ratchet.data.tables import write_dataset
from tests.ratchet.cli.test_main import ratchet

OLD = pl.DataFrame({"id": [1, 2, 3], "amount": [1.5, 2.5, 3.5], "city": ["a", "b", "c"]})
NEW = pl.DataFrame({"id": [4, 3, 2], "city": ["d", "c", "b"], "amount": [4.5, 3.5, 9.0]})


def diff(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["diff", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    OLD.write_csv(tmp_path / "old.csv")
    return tmp_path / "old.csv"


@pytest.fixture
def new(tmp_path: Path) -> Path:
    write_dataset(NEW, tmp_path / "new", source="test")
    return tmp_path / "new"


def test_rows_and_columns_are_named(old: Path, new: Path) -> None:
    done = diff(old, new, "--key", "id")
    assert done.exit_code == 5
    assert done.stdout.splitlines() == [
        "different: 1 row added, 1 removed, 1 changed (by id).",
        "",
        "Changed columns:",
        "  column amount, rows changed 1, for example id 2: 2.5 → 9",
        "",
        "Added rows:",
        "  id 4, amount 4.5, city d",
        "",
        "Removed rows:",
        "  id 1, amount 1.5, city a",
    ]


def test_the_same_rows_in_another_format_and_order_are_the_same(old: Path, tmp_path: Path) -> None:
    write_dataset(OLD[::-1].select("city", "id", "amount"), tmp_path / "again", source="test")
    for key in ((), ("--key", "id")):
        done = diff(old, tmp_path / "again", *key)
        assert (done.exit_code, done.stdout) == (0, "same: The same 3 rows.\n")


def test_without_a_key_a_changed_row_is_one_removed_and_one_added(old: Path, new: Path) -> None:
    done = diff(old, new, "--json")
    assert done.exit_code == 5
    found = json.loads(done.stdout)
    assert (found["added"], found["removed"], found["changed"]) == (2, 2, None)
    assert found["digests"]["before"].startswith("rows:")


def test_a_report_is_written(old: Path, new: Path, tmp_path: Path) -> None:
    diff(old, new, "--key", "id", "--html", tmp_path / "report.html")
    assert "2.5 → 9" in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_what_cannot_be_compared_is_an_error_of_one_line_and_leaves_nothing(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    for arguments, message in (
        (("nothing.csv",), "nothing.csv"),
        ((str(old), "--key", "idd"), f"{old}: no key column 'idd'; did you mean 'id'?"),
        ((str(old), "--html", str(tmp_path / "none" / "report.html")), "report.html' cannot be written: No such file or directory"),
    ):
        done = ratchet("diff", str(old), *arguments, home=tmp_path)
        assert done.returncode == 1
        assert message in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert not list((tmp_path / "scratch").iterdir())
