"""Add a component in ten minutes: the list at the top of CONTRIBUTING.md, walked by a machine."""

import pytest

pytestmark = pytest.mark.slow

TESTS = ("-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "tests", "ratchet/data")


def test_the_scaffold_is_red_until_it_is_filled_in_and_then_green(house, python):
    before = python(house, *TESTS)
    assert before.returncode == 1
    assert "3 failed" in before.stdout

    library = house / "ratchet/data/row_count.py"
    text = library.read_text().replace("raise NotImplementedError", 'return RowCountResult(verdict="yes", reason="there is one")')
    library.write_text(text.replace("'the exact answer'", "'yes'"))

    after = python(house, *TESTS)
    assert after.returncode == 0, after.stdout
    assert "3 passed" in after.stdout


def test_what_it_writes_passes_the_linter_as_it_stands(house, python):
    folders = ("components/data_processing", "ratchet/data", "tests")
    for command in (("check",), ("format", "--check")):
        done = python(house, "-m", "ruff", *command, *folders)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "stage", "message"),
    [
        ("row_count", "data_processing", "'row_count' is taken"),
        ("RowCount", "data_processing", "must be a lower_case Python name"),
        ("../evil", "data_processing", "must be a lower_case Python name"),
        ("count", "serving", "stage 'serving' is none of data_processing, training"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(house, python, name, stage, message):
    before = sorted(house.glob("**/*"))
    done = python(house, "-m", "scripts.new_component", name, stage)
    assert done.returncode != 0
    assert message in done.stderr
    assert sorted(house.glob("**/*")) == before
