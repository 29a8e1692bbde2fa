"""A stacked model and its encoder: two deployments that one promotion moves, and one rollback moves back, in one transaction.

The boosting package carries its own copy of the encoder, so what is served never depends on what stands here. The ledger keeps the two
deployments in step all the same, because a person, a batch job and the next run read the encoder's deployment on its own:

- promoting the stacked model gives the encoder's deployment the version that the model needs, unless it has it already;
- rolling it back takes the encoder back too, if that promotion put it there, nobody has moved it since, and no live champion needs it;
- rolling back the encoder alone is refused while a live champion needs the version that would go;
- promoting another encoder alone is allowed: the champion keeps its copy, and its rollback then leaves alone what others did since. So
  no order of promotions makes a rollback impossible.

Which encoder a champion needs stands in the chain, in the evidence of the row that promoted it, as a rollout's policy does; the encoder's
row names the stacked model's in return. Each deployment has its own chain and its own generations.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from ratchet.delivery import records, tables
from ratchet.delivery.audit import AuditRow
from ratchet.delivery.deployment import Deployment, ModelRef, check_name
from ratchet.errors import NeededError, ParameterError

ENCODER = "encoder"  # in the evidence of a stacked model's row: its encoder, and what became of that one's deployment
STACKED = "stacked"  # in the evidence of the encoder's row: the row of the stacked model that it went with


@dataclass(frozen=True, slots=True)
class Encoder:
    """The encoder that a stacked model needs.

    Attributes:
        name: Of its deployment, e.g. "fraud-encoder".
        model: Its registered version.
    """

    name: str
    model: ModelRef


@dataclass(frozen=True, slots=True)
class Following:
    """What goes with a transition of one deployment.

    Attributes:
        facts: Added to the evidence of its row.
        after: The next state of the other deployment; None to leave that one alone.
        digest: Of the model that the move of the other one is about.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    after: Deployment | None = None
    digest: str = ""


def partner(row: AuditRow | None) -> str:
    """Return the deployment of the encoder that a stacked model's row speaks of; empty where it speaks of none."""
    return str(row.facts.get(ENCODER, {}).get("deployment", "")) if row else ""


def leader(row: AuditRow | None) -> tuple[str, int] | None:
    """Return deployment and generation of the stacked model that an encoder's row went with; None where it went by itself."""
    facts = row.facts.get(STACKED) if row else None
    return (str(facts["deployment"]), int(facts["generation"])) if facts else None


def needed(row: AuditRow | None) -> Encoder | None:
    """Return the encoder that a champion needs.

    Args:
        row: The transition that promoted it.
    """
    facts = row.facts.get(ENCODER) if row and row.action == "promote" else None
    return Encoder(facts["deployment"], ModelRef(facts["version"], facts["digest"], facts["uri"])) if facts else None


def told(row: AuditRow | None) -> str:
    """Return what a stacked model's row says of its encoder, as a person reads it; empty where it says nothing."""
    facts = row.facts.get(ENCODER) if row else None
    if not facts:
        return ""
    standing = f"{facts['deployment']} {'version ' + facts['version'] if facts['version'] else 'with no champion'}"
    return f"{standing}, {facts['effect']}{': ' + facts['why'] if 'why' in facts else ''}"


def with_promotion(connection: Connection, before: Deployment, encoder: Encoder) -> Following:
    """Return what goes with the promotion of a stacked model.

    Args:
        connection: Within the transaction; the encoder's deployment is locked from here on.
        before: The stacked model's deployment before it.
        encoder: What the model needs.

    Raises:
        ParameterError: the encoder would be deployed under the model's own name.
    """
    if check_name(encoder.name) == before.name:
        raise ParameterError(
            f"the encoder of {before.name!r} is to be deployed under the same name; give it another, e.g. {before.name}-encoder"
        )
    standing = _locked(connection, encoder.name)
    stands = standing.champion is not None and standing.champion.digest == encoder.model.digest
    facts = {"deployment": encoder.name, "version": encoder.model.version, "digest": encoder.model.digest, "uri": encoder.model.uri}
    told = {ENCODER: {**facts, "effect": "stood already" if stands else "promoted"}}
    return Following(told) if stands else Following(told, standing.promoted(encoder.model), encoder.model.digest)


def with_rollback(connection: Connection, before: Deployment, after: Deployment) -> Following:
    """Return what goes with the rollback of a champion; nothing where it is not stacked.

    Args:
        connection: Within the transaction; the encoder's deployment is locked from here on.
        before: The champion's deployment before it.
        after: And after it.
    """
    encoder = needed(records.audit_row(connection, deployment=before.name, generation=before.since))
    if encoder is None:
        return Following()
    standing = _locked(connection, encoder.name)
    stays = _why_it_stays(connection, before, after, standing)
    if stays:
        version = standing.champion.version if standing.champion else ""
        return Following({ENCODER: {"deployment": encoder.name, "version": version, "effect": "left", "why": stays}})
    row = records.audit_row(connection, deployment=encoder.name, generation=standing.since - 1)
    back = standing.rolled_back(row.after if row else Deployment(encoder.name))
    version = back.champion.version if back.champion else ""
    return Following({ENCODER: {"deployment": encoder.name, "version": version, "effect": "rolled back"}}, back, encoder.model.digest)


def check_not_needed(connection: Connection, before: Deployment) -> None:
    """Refuse to take away, by itself, an encoder that a live champion needs.

    Args:
        connection: Within the transaction, the encoder's deployment locked.
        before: The encoder's deployment.

    Raises:
        NeededError: naming the champion and the remedy.
    """
    taken = before.champion
    needing = _who_needs(connection, before.name, taken.digest) if taken else []
    if not needing:
        return
    other = needing[0]
    together = leader(records.audit_row(connection, deployment=before.name, generation=before.since)) == (other.name, other.since)
    remedy = "roll back that one, which takes its encoder with it" if together else "roll back that one first"
    raise NeededError(
        f"{before.name!r} cannot be rolled back by itself: the champion of {other.name!r}, {other.champion}, needs its {taken}; "
        f"{remedy}: ratchet rollback {other.name}"
    )


def _locked(connection: Connection, name: str) -> Deployment:
    records.insert_once(connection, tables.deployments, records.blank_deployment(name))
    return records.read_deployment(connection, name, lock=True)


def _why_it_stays(connection: Connection, before: Deployment, after: Deployment, standing: Deployment) -> str:
    """Return why the encoder's deployment is left alone when a stacked champion is taken back; empty where it goes with it."""
    promotion = records.audit_row(connection, deployment=standing.name, generation=standing.since) if standing.since else None
    if leader(promotion) != (before.name, before.since):
        return f"promoted by {promotion.who}, not together with this champion" if promotion else "nothing is deployed under its name"
    digest = standing.champion.digest if standing.champion else ""
    again = needed(records.audit_row(connection, deployment=after.name, generation=after.since)) if after.since else None
    if again is not None and (again.name, again.model.digest) == (standing.name, digest):
        return "the champion that stands again needs it"
    needing = _who_needs(connection, standing.name, digest, besides=before.name)
    return f"the champion of {needing[0].name!r} needs it too" if needing else ""


def _who_needs(connection: Connection, name: str, digest: str, *, besides: str = "") -> list[Deployment]:
    """Return the deployments whose live champion needs a version of an encoder."""
    found = []
    for other in records.read_deployments(connection):
        if other.champion is None or other.name in (name, besides):
            continue
        encoder = needed(records.audit_row(connection, deployment=other.name, generation=other.since))
        if encoder is not None and (encoder.name, encoder.model.digest) == (name, digest):
            found.append(other)
    return found
