"""A growing log is read line by line, whatever the pieces in which it arrives."""

import itertools
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ratchet.submit.local import _Watch

LOG = "".join(
    f"00:00:0{i}.000 - INFO - Executing task 'step-{i}'\nnoise\n00:00:0{i}.500 - INFO - Task 'step-{i}' finished with status SUCCESS\n"
    for i in range(4)
)


@given(st.lists(st.integers(0, len(LOG)), max_size=20))
def test_no_event_is_lost_or_doubled_however_the_log_is_cut(cuts: list[int]) -> None:
    seen: list[str] = []
    watch = _Watch(Path("nowhere"), lambda event, step: seen.append(f"{type(event).__name__} {event.step}"))
    edges = [0, *sorted(cuts), len(LOG)]
    for begin, end in itertools.pairwise(edges):
        watch.feed(LOG[begin:end])
    assert [step.name for step in watch.steps] == [f"step-{i}" for i in range(4)]
    assert all(step.seconds == 0.5 for step in watch.steps)
    assert len(seen) == 8


def test_a_step_that_runs_over_midnight_takes_seconds_not_a_day() -> None:
    watch = _Watch(Path("nowhere"), lambda event, step: None)
    watch.feed("23:59:59.000 - INFO - Executing task 'a'\n00:00:01.000 - INFO - Task 'a' finished with status SUCCESS\n")
    assert watch.steps[0].seconds == 2.0
