"""A local run's own log tells which steps ran and what went wrong."""

from ratchet.submit.events import StepEnded, StepStarted, error_in, read_event, seconds_of_day

COLOURED = "05:44:14.126 - INFO - Executing task \x1b[96m'train-boosting'\x1b[0m\n"


def test_coloured_lines_are_read() -> None:
    assert read_event(COLOURED) == StepStarted("train-boosting", seconds_of_day("05:44:14.126"))


def test_a_failed_step_is_told_apart() -> None:
    line = "05:44:17.416 - ERROR - Task \x1b[96m'act'\x1b[0m finished with status \x1b[91mFAILURE\x1b[0m"
    assert read_event(line) == StepEnded("act", seconds_of_day("05:44:17.416"), False)


def test_a_step_that_prints_such_words_is_not_taken_for_the_runner() -> None:
    assert read_event("    05:44:14.126 - INFO - Executing task 'evil'") is None
    assert read_event("Executing task 'evil'") is None


def test_our_own_error_is_preferred_to_what_follows_it() -> None:
    log = "x\n    ratchet.errors.SchemaError: column 'a' is missing; add it\n\nRuntimeError: Pipeline finished with status FAILURE"
    assert error_in(log) == "column 'a' is missing; add it"


def test_the_first_exception_speaks_when_none_is_ours() -> None:
    assert error_in("  MemoryError: no room\nRuntimeError: Pipeline failed") == "MemoryError: no room"
    assert error_in("killed") == "the run stopped without a message"
