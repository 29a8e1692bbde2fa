"""The face of begin_rollout: a policy from a pipeline's parameters, numbers as floats as KFP hands them over."""

import pytest
from kfp.dsl import Markdown

from components.deployment.begin_rollout.component import begin_rollout
from ratchet.errors import ParameterError

pytestmark = pytest.mark.slow


def begin(runs, run_id, version, generation, **more):
    runs.summary = runs.output(Markdown, f"{run_id}-begin")
    arguments = {"model": "fraud", "version": version, "generation": generation, "run_id": run_id, "why": "lower loss"}
    return begin_rollout.python_func(summary=runs.summary, settings=runs.settings, **arguments, **more)


def test_a_challenger_goes_on_trial_by_the_policy(runs):
    runs.promoted("run-1")
    (version,) = runs.register("run-2", 1.0)
    verdict, reason, generation = begin(runs, "run-2", version, 1.0, policy={"steps": [10.0, 50.0], "label_delay": "7d"})
    assert (verdict, generation) == ("begun", 2)
    assert "under trial" in reason
    policy = runs.ledger.rollout("fraud").policy
    assert (policy.steps, policy.label_delay) == ((10, 50), 604800.0)
    assert "under trial" in runs.read(runs.summary)


def test_a_first_champion_needs_no_trial(runs):
    (version,) = runs.register("run-1", 0.0)
    assert begin(runs, "run-1", version, 0.0)[0] == "direct"


def test_a_policy_that_is_none_is_refused_before_anything_is_begun(runs):
    runs.promoted("run-1")
    with pytest.raises(ParameterError, match=r"'stepps'.*steps"):
        begin(runs, "run-2", "1", 1.0, policy={"stepps": [5]})
    assert runs.ledger.rollout("fraud") is None
