"""Deployments and their history fit a terminal and say what a person asks first."""

import io

from rich.console import Console

from ratchet.cli.tables import history_table, status_table
from ratchet.delivery.deployment import Deployment, ModelRef

FIRST, SECOND = ModelRef("1", "sha256:aa", "/1"), ModelRef("2", "sha256:bb", "/2")


def test_a_deployment_is_one_row() -> None:
    out = io.StringIO()
    status_table([(Deployment("fraud").promoted(FIRST).promoted(SECOND), None)], Console(file=out, width=100))
    header, row = out.getvalue().splitlines()
    assert header.split()[:3] == ["deployment", "champion", "live"]
    assert row.split() == ["fraud", "version", "2", "–", "version", "1", "none", "2"]


def test_what_was_taken_back_to_nothing_says_none() -> None:
    out = io.StringIO()
    status_table([(Deployment("fraud", generation=2), None)], Console(file=out, width=80))
    assert "version none" not in out.getvalue()
    assert "none" in out.getvalue()


def test_a_history_without_rows_is_only_its_heading() -> None:
    out = io.StringIO()
    history_table("fraud", [], Console(file=out, width=80))
    assert out.getvalue().startswith("fraud, oldest first")
