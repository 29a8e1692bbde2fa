"""What a run came to, for every story that its steps can tell."""

import pytest

from ratchet.delivery.verdicts import EXIT_STATUS, WORDS, Verdict, outcome_of

STORIES = [
    ({}, "error"),
    ({"hold": "invalid"}, "invalid"),
    ({"hold": "rejected"}, "rejected"),
    ({"hold": "held"}, "held"),
    ({"advance": "pending"}, "pending"),
    ({"promote": "held"}, "held"),
    ({"promote": "held", "verify": "healthy"}, "held"),
    ({"promote": "promoted"}, "error"),
    ({"promote": "promoted", "verify": "healthy"}, "promoted"),
    ({"promote": "promoted", "verify": "rollback"}, "error"),
    ({"promote": "promoted", "verify": "rollback", "rollback": "rolled back"}, "rolled back"),
    ({"promote": "promoted", "rollback": "rolled back"}, "rolled back"),
    ({"hold": "some new word"}, "error"),
]


@pytest.mark.parametrize(("story", "word"), STORIES, ids=lambda value: value if isinstance(value, str) else "+".join(value) or "nothing")
def test_a_story_comes_to_its_word(story, word):
    outcome = outcome_of("run", {step: Verdict("run", "fraud", step, said, f"because of {step}", "") for step, said in story.items()})
    assert outcome.word == word
    assert outcome.reason


def test_every_word_has_its_exit_status():
    assert set(EXIT_STATUS) == set(WORDS)
