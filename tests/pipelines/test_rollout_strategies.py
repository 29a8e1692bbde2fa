"""A/B and blue/green with real traffic: who answers meanwhile, and when the word falls. The canary is in test_rollout_story.py."""

import time
from collections.abc import Iterator

import pytest

from ratchet.delivery.rollout import Look
from ratchet.settings import Settings
from tests.pipelines.rollout_clients import NAME, Clients
from tests.pipelines.rollout_world import Advancer, Live, live, models, registered, until
from tests.postgres import PostgreSQL

__all__ = ["models", "registered"]  # fixtures

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

CHAMPION, CHALLENGER = "1", "2"
PAIRS = 1500


@pytest.fixture(scope="module")
def installation(postgresql: PostgreSQL, registered: Settings, models, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("strategies") / "home", registered, models, postgresql.new_database()) as made:
        yield made


@pytest.fixture
def advancer(installation: Live) -> Iterator[Advancer]:
    advancer = Advancer(installation.settings, f"run-{time.monotonic_ns()}", wait="5s")
    yield advancer
    advancer.kill()


def word(installation: Live, begun: int) -> Look:
    """Return the look that ended a rollout."""
    return until(
        lambda: next((look for look in installation.ledger.looks(NAME, begun) if look.verdict in ("promote", "abort", "hold")), None),
        180,
        lambda: installation.ledger.looks(NAME, begun)[-2:],
    )


@pytest.mark.usefixtures("advancer")
def test_an_ab_split_answers_half_each_and_is_judged_at_its_end_only(installation: Live) -> None:
    with Clients(installation.gateway.url) as clients:
        begun = installation.begin("canary", strategy="ab", steps=(50,), maximum_pairs=PAIRS)
        since = time.monotonic()
        said = word(installation, begun)
        answered = [len(clients.answers(since, version)) for version in (CHAMPION, CHALLENGER)]
        assert not clients.failures()
    looks = installation.ledger.looks(NAME, begun)
    assert said.verdict == "promote", said.reason
    assert all(look.phase == "canary" and look.percent == 50 for look in looks)
    assert any("the split runs until" in look.reason for look in looks), "no word before its end"
    assert 0.4 < answered[1] / sum(answered) < 0.6


@pytest.mark.usefixtures("advancer")
def test_blue_green_answers_with_the_champion_alone_until_the_word_falls(installation: Live) -> None:
    with Clients(installation.gateway.url) as clients:
        begun = installation.begin("shadow", strategy="blue_green")
        since = time.monotonic()
        said = word(installation, begun)
        assert not clients.answers(since, CHALLENGER)
        assert clients.answers(since, CHAMPION)
        assert not clients.failures()
    assert said.verdict == "promote", said.reason
    assert {look.phase for look in installation.ledger.looks(NAME, begun)} == {"shadow"}
