"""The beginning of a rollout: what is judged is settled here, once, before a single request has been seen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ratchet.delivery.deployment import ModelRef
from ratchet.delivery.ledger import Ledger
from ratchet.delivery.policy import Policy
from ratchet.delivery.promotion import check_with_encoder
from ratchet.delivery.replay import replay
from ratchet.delivery.storage import description_of, reference_of
from ratchet.errors import ConflictError, ParameterError, RatchetError
from ratchet.report.page import Page
from ratchet.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ratchet.evaluation.losses import Loss
    from ratchet.features.spec import FeatureSpec


@dataclass(frozen=True, slots=True)
class Beginning:
    """What became of it.

    Attributes:
        verdict: "begun"; "direct" when no live trial is to come (a first champion, or by policy) and the model is fit to be promoted;
            "unfit" when it does not load or predict as in training; "held" when another challenger is under trial.
        reason: Why.
        generation: Of the deployment afterwards.
    """

    verdict: str
    reason: str
    generation: int

    def page(self, version: str) -> Page:
        """Return the summary that a person reads."""
        tone = {"begun": "good", "direct": "good", "held": "neutral"}.get(self.verdict, "bad")
        return Page("Begin the rollout", self.verdict, self.reason, tone, {"version": version, "generation": self.generation})


def begin_rollout(name: str, version: str, *, generation: int, run_id: str, why: str, policy: Policy, ledger: Ledger) -> Beginning:
    """Begin the rollout of a registered version, as a step of a run.

    The version is loaded and replayed in a fresh process first: what does not load there must not meet a single request.

    Args:
        name: Name of the deployment.
        version: Version in the registry.
        generation: Generation that the run read at its start.
        run_id: The run.
        why: The reason that ``compare`` gave.
        policy: Its loss may be "auto".
        ledger: The ledger.

    Raises:
        UnknownDeploymentError: there is no such version.
        ParameterError: the loss does not fit the task.
    """
    said = ledger.verdicts(run_id).get("begin")
    if said is not None:
        return Beginning(said.verdict, said.reason, ledger.deployment(name).generation)
    model = ledger.version(name, str(version)) or _registered(name, version, ledger.settings)
    fit = replay(model, ledger.settings)
    champion = ledger.deployment(name).champion
    unfit = _unfit(name, model, ledger.settings) if fit.healthy else fit.reason
    if unfit:
        return _say(ledger, name, run_id, "unfit", unfit, generation)
    if champion is None or policy.strategy == "direct":
        first = "there is no champion to try it against" if champion is None else "the policy asks for no live trial"
        return _say(ledger, name, run_id, "direct", f"{why.removesuffix('.')}; {first}; {fit.reason}", generation)
    settled = replace(policy, loss=settle_loss(policy.loss, champion, model, ledger.settings))
    facts: dict[str, Any] = {"version": version, "digest": model.digest, "run_id": run_id}
    try:
        done = ledger.begin(name, model, settled, generation=int(generation), who=f"run {run_id}", why=why, evidence=facts, run_id=run_id)
    except ConflictError as error:
        return _say(ledger, name, run_id, "held", str(error), ledger.deployment(name).generation)
    state = done.deployment
    judged = "" if settled.needs_labels else "judged by alarms, which need no labels; "
    reason = f"{model} is under trial against {champion}: {state.phase}{f' at {state.percent}%' if state.percent else ''}; {judged}{why}"
    return _say(ledger, name, run_id, "begun", reason, state.generation)


def settle_loss(loss: Mapping[str, Any], champion: ModelRef, challenger: ModelRef, settings: Settings) -> dict[str, Any]:
    """Return a loss with nothing left open: its kind, its costs as the challenger was trained for, its scale from the champion's data.

    For anomalies, costs that nobody stated are balanced by how rare they are in the champion's data. Where there are no labels to do that
    by, or the challenger was trained without any, none judge live either, and the loss is an alarm.

    Args:
        loss: As the policy has it.
        champion: Whose data the scale, or the balance, is taken from.
        challenger: Whose task and costs it is settled for.
        settings: The installation.

    Raises:
        ParameterError: the kind does not fit the task, or asks for labels that there will never be.
        TargetError: a regression's target does not vary in the champion's data, or costs that were asked for cannot be balanced by it.
    """
    from dataclasses import asdict

    from ratchet.evaluation.losses import choose_loss

    description = description_of(challenger, settings)
    task, kind = description.spec.task, str(loss.get("kind", "auto"))
    costs = {name: float(loss.get(name, description.parameters.get(name, 1.0))) for name in ("cost_false_negative", "cost_false_positive")}
    if "scale" in loss:
        return {"kind": str(loss["kind"]), "scale": float(loss["scale"]), **costs}
    if task == "anomaly" and not description.spec.target and kind not in ("auto", "alarm"):
        raise ParameterError(f"loss {kind!r} asks for labels, and {challenger} was trained without a target; choose alarm, or auto")
    import numpy as np

    labels = np.zeros(1)
    balanced = task == "anomaly" and kind != "alarm" and len(set(costs.values())) == 1
    if task == "regression" or balanced:
        labels = _labels_of(champion, description.spec, settings)
    if task == "anomaly" and kind == "auto" and (not description.spec.target or (balanced and len(np.unique(labels)) < 2)):
        kind = "alarm"
    chosen: Loss = choose_loss(task, labels, kind=kind, **costs)
    return asdict(chosen)


def _labels_of(champion: ModelRef, spec: "FeatureSpec", settings: Settings) -> "NDArray[Any]":
    """Return the labels of the champion's data as the challenger reads them; of anomalies, those that there are."""
    from ratchet.data.tables import read_dataset

    with reference_of(champion, settings) as reference:
        table = read_dataset(reference)
    if spec.task != "anomaly":
        return spec.labels(table)
    import numpy as np

    return spec.labels(spec.labelled(table)) if spec.target in table.columns else np.zeros(0)


def _unfit(name: str, model: ModelRef, settings: Settings) -> str:
    """Return why a version could not be promoted after its trial; empty where it could. A replay does not look for its encoder."""
    try:
        check_with_encoder(name, model, settings)
    except RatchetError as error:
        return str(error)
    return ""


def _registered(name: str, version: str, settings: Settings) -> ModelRef:
    """Return a version that this ledger has no note of, from MLflow, whose import costs two seconds."""
    from ratchet.delivery.registry import find_version

    return find_version(name, version, settings)


def _say(ledger: Ledger, name: str, run_id: str, verdict: str, reason: str, generation: int) -> Beginning:
    said = ledger.record_verdict(run_id, name, "begin", verdict, reason)
    return Beginning(said.verdict, said.reason, int(generation))
