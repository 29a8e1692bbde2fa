"""A finding says what was met and what to do."""

from ratchet.data.findings import Finding, Limits


def test_a_finding_without_remedy_is_its_message() -> None:
    assert Finding("extra column", "note", "x", "column 'x' is new", "").sentence() == "column 'x' is new"


def test_the_defaults_tolerate_one_bad_row_in_twenty_and_no_clock() -> None:
    limits = Limits()
    assert (limits.max_quarantined_share, limits.now, limits.max_age_days) == (0.05, "", 0)
