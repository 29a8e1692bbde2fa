"""What a step's kind means for how a pipeline runs it.

A pure step may be answered from the cache, and is not tried again: it would fail the same way. A read looks at a world that may have
changed, and an effect changes it, so neither is ever cached; both are worth another try, a read because it writes nothing, an effect
because of its operation key. Retries are fixed at compile time; KFP cannot take them as parameters.
"""

from kfp.dsl import PipelineTask


def pure(task: PipelineTask, title: str) -> PipelineTask:
    """Name a pure step for the UI and let it be cached."""
    return task.set_display_name(title).set_caching_options(True)


def read(task: PipelineTask, title: str) -> PipelineTask:
    """Name a read step for the UI; never cached."""
    return task.set_display_name(title).set_caching_options(False).set_retry(1, backoff_duration="2s")


def effect(task: PipelineTask, title: str) -> PipelineTask:
    """Name an effect step for the UI; never cached."""
    return task.set_display_name(title).set_caching_options(False).set_retry(3, backoff_duration="10s")
