"""Promotion and its reversal, by a run and by hand: the ledger moves first, the registry's aliases follow.

By hand wins: a person's word is tried again when a run got in between. A run's is not: what it compared with is no longer the
champion, so its evidence is void and it holds. A stacked model moves together with its encoder, whoever moves it.
"""

from dataclasses import dataclass
from typing import Any

from ratchet.delivery.aliases import reconcile_all
from ratchet.delivery.deployment import Deployment, ModelRef
from ratchet.delivery.ledger import Ledger, Transition
from ratchet.delivery.pairs import Encoder, told
from ratchet.delivery.storage import describe_package, package_of
from ratchet.errors import ConflictError, NeededError, PackageError, RegistryError
from ratchet.report.page import Cell, Page
from ratchet.settings import Settings

ATTEMPTS = 50
TONES = {"promoted": "good", "held": "neutral", "rolled back": "bad"}


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a promotion or a rollback.

    Attributes:
        word: "promoted", "held" or "rolled back".
        reason: Why, as a person reads it.
        deployment: What stands afterwards.
        effect: "applied", "repeated" or "none", as in `Transition`.
        encoder: What became of a stacked model's encoder; empty where there is none.
    """

    word: str
    reason: str
    deployment: Deployment
    effect: str
    encoder: str = ""

    @property
    def champion(self) -> str:
        """Version of the champion afterwards; empty when there is none."""
        return self.deployment.champion.version if self.deployment.champion else ""

    def page(self, title: str) -> Page:
        """Return the summary that a person reads."""
        previous = self.deployment.previous.version if self.deployment.previous else "none"
        facts: dict[str, Cell] = {"champion": self.champion or "none", "previous": previous, "generation": self.deployment.generation}
        facts |= {"encoder": self.encoder} if self.encoder else {}
        return Page(title, self.word, self.reason, TONES[self.word], facts)


def promote_in_run(name: str, version: str, *, generation: int, run_id: str, why: str, ledger: Ledger) -> Change:
    """Promote a registered version as a step of a run, and record the run's verdict.

    Args:
        name: Name of the deployment.
        version: Version in the registry.
        generation: Generation that the run read at its start.
        run_id: The run.
        why: The reason that ``compare`` gave.
        ledger: The ledger.

    Returns:
        "promoted", or "held" when somebody else changed the deployment since the run began, or the model is live already.

    Raises:
        UnknownDeploymentError: there is no such version.
        PackageError: the stored package is damaged, so it never becomes the champion.
    """
    from ratchet.delivery.registry import find_version

    model = find_version(name, version, ledger.settings)
    encoder = check_with_encoder(name, model, ledger.settings)
    evidence: dict[str, Any] = {"version": model.version, "digest": model.digest, "run_id": run_id, "generation_read": int(generation)}
    tried = ledger.rollout(name)
    watch = tried is not None and tried.deployment.challenger == model and tried.policy.watch > 0
    if tried is not None and watch:
        evidence |= {"policy": tried.policy.as_dict(), "rollout": tried.begun}
    by: dict[str, Any] = {"who": f"run {run_id}", "why": why, "evidence": evidence, "run_id": run_id}
    try:
        done = ledger.promote(name, model, generation=int(generation), watch=watch, encoder=encoder, **by)
    except ConflictError as error:
        held = ledger.record_verdict(run_id, name, "promote", "held", str(error))
        return Change("held", held.reason, ledger.deployment(name), "none")
    _project(ledger, name)
    if done.row is None or done.row.run_id != run_id:
        reason = f"{done.deployment.champion} is the champion already, by {done.row.who if done.row else 'an earlier promotion'}"
        return Change("held", ledger.record_verdict(run_id, name, "promote", "held", reason).reason, done.deployment, "none")
    return Change("promoted", why, done.deployment, done.effect, told(done.row))


def rollback_in_run(name: str, *, run_id: str, why: str, ledger: Ledger) -> Change:
    """Reverse what a run promoted, if it still stands. A first champion leaves none behind.

    Args:
        name: Name of the deployment.
        run_id: The run whose promotion is reversed.
        why: What verification said.
        ledger: The ledger.

    Returns:
        "rolled back"; the effect is "none" when the run promoted nothing, or what it promoted is not live any more. "held" where it is an
        encoder that another champion needs: that one is to be rolled back.

    Raises:
        ConflictError: others changed the deployment 50 times in between.
    """
    promotion = ledger.promotion_of(run_id, name)
    if promotion is None:
        return Change("held", f"run {run_id!r} promoted nothing, so there is nothing to take back", ledger.deployment(name), "none")
    for attempt in range(ATTEMPTS):
        state = ledger.deployment(name)
        if state.champion is None or state.since != promotion.generation:
            reason = f"what run {run_id!r} promoted is not live any more; champion: {state.champion or 'none'}"
            recorded = ledger.record_verdict(run_id, name, "rollback", "rolled back", reason)
            _project(ledger, name)
            return Change("rolled back", recorded.reason, state, "none")
        try:
            done = ledger.rollback(
                name, generation=state.generation, who=f"run {run_id}", why=why, evidence={"run_id": run_id}, run_id=run_id, may_empty=True
            )
        except ConflictError:
            if attempt + 1 == ATTEMPTS:
                raise
            continue
        except NeededError as error:
            return Change("held", str(error), state, "none")
        _project(ledger, name)
        return Change("rolled back", why, done.deployment, done.effect, told(done.row))
    raise AssertionError("unreachable")


def promote_version(name: str, version: str, *, who: str, why: str, settings: Settings, ledger: Ledger | None = None) -> Transition:
    """Promote a registered version by hand; wins over a run that promotes at the same time.

    Args:
        name: Name of the deployment.
        version: Version in the registry.
        who: The person.
        why: A sentence.
        settings: The installation.
        ledger: Its ledger, where it is open already.

    Returns:
        What stands now; effect "none" when the version is the champion already.

    Raises:
        UnknownDeploymentError: there is no such version.
        PackageError: the stored package is damaged.
        ConflictError: others changed the deployment 50 times in between.
    """
    from ratchet.delivery.registry import find_version

    ledger = ledger or Ledger.open(settings)
    model = find_version(name, version, settings)
    encoder = check_with_encoder(name, model, settings)
    for attempt in range(ATTEMPTS):
        generation = ledger.deployment(name).generation
        try:
            done = ledger.promote(name, model, generation=generation, who=who, why=why, evidence={"by": "hand"}, encoder=encoder)
        except ConflictError:
            if attempt + 1 == ATTEMPTS:
                raise
            continue
        _project(ledger, name)
        return done
    raise AssertionError("unreachable")


def rollback_now(name: str, *, who: str, why: str, settings: Settings, ledger: Ledger | None = None) -> Transition:
    """Take back by hand: the challenger where one is under trial, else the champion.

    Wins any race: a challenger that was promoted in between is taken back as champion. Tried again when something else about the
    deployment changed in between; refused when another model became champion, because that one was not meant.

    Args:
        name: Name of the deployment.
        who: The person.
        why: A sentence.
        settings: The installation.
        ledger: Its ledger, where it is open already.

    Raises:
        UnknownDeploymentError: there is no such deployment, or nothing to go back to.
        ConflictError: another model became champion in between.
        NeededError: it is an encoder that another champion needs.
    """
    ledger = ledger or Ledger.open(settings)
    meant = ledger.deployment(name)
    state = meant
    for _ in range(ATTEMPTS):
        try:
            done = _take_back(name, meant, state, who=who, why=why, ledger=ledger)
        except ConflictError:
            state = ledger.deployment(name)
            if state.since != meant.since and (meant.challenger is None or state.champion != meant.challenger):
                raise
            continue
        _project(ledger, name)
        return done
    raise ConflictError(f"deployment {name!r} changed {ATTEMPTS} times while its champion was to be taken back; try again")


def _take_back(name: str, meant: Deployment, state: Deployment, *, who: str, why: str, ledger: Ledger) -> Transition:
    """Take away what a person saw on trial when they asked, also where it was promoted or aborted in between; else the champion."""
    facts = {"by": "hand"}
    if meant.challenger is None or state.champion == meant.challenger:
        return ledger.rollback(name, generation=state.generation, who=who, why=why, evidence=facts)
    if state.challenger == meant.challenger:
        return ledger.abort(name, generation=state.generation, who=who, why=why, evidence=facts)
    return Transition(state, "none", None)


def check_with_encoder(name: str, model: ModelRef, settings: Settings) -> Encoder | None:
    """Verify a version's stored package, and that of the encoder that it needs; return the encoder, None unless it is stacked.

    Args:
        name: Name of the deployment.
        model: The version.
        settings: The installation.

    Raises:
        UnknownDeploymentError: there is no such version of the encoder.
        PackageError: a stored package is damaged, or the encoder registered is not the one that the model was trained on.
        RegistryError: a package is not there.
    """
    from ratchet.delivery.registry import find_version

    with package_of(model, settings) as folder:
        needs = describe_package(folder, settings)[0].encoder
    if needs is None or not needs.model:
        return None
    encoder = find_version(needs.model, needs.version, settings)
    if encoder.digest != needs.digest:
        raise PackageError(
            f"{name!r} {model} was trained on {needs.model!r} version {needs.version} of digest {needs.digest[:19]}, "
            f"and the registry's is {encoder.digest[:19]}: train the model again on the one that is registered"
        )
    with package_of(encoder, settings):
        return Encoder(needs.model, encoder)


def _project(ledger: Ledger, name: str) -> None:
    """Let the aliases follow. The transition is done, so a registry that is away must not make it look failed."""
    import logging

    try:
        reconcile_all(ledger, name)
    except RegistryError as error:
        logging.getLogger(__name__).error("The ledger moved; MLflow's aliases of %r did not, until the next run: %s", name, error)
    ledger.checkpoint("aliases written")
