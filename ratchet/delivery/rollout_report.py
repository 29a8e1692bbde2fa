"""The report of a rollout: the verdict and why, each test's wealth over time, the traffic, and every look."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ratchet.delivery.advance import Advance
from ratchet.delivery.deployment import Deployment
from ratchet.delivery.rollout import Look, Rollout
from ratchet.report.figures import Points, lines
from ratchet.report.page import Cell, Figure, Page, Table, show

TONES = {"promote": "good", "abort": "bad", "rollback": "bad"}
LATEST = 60
ALARMS = "alarms, for want of labels; what the models find was compared before, on injected anomalies"
WEALTH = (
    "Each line is the evidence against one null hypothesis: the wealth, in powers of ten, of one who bets against it and began with 1. "
    "Where it reaches the dotted line of the same test, the null is refuted; it may be looked at as often as one likes."
)


def rollout_page(advance: Advance, state: Deployment, looks: Sequence[Look]) -> Page:
    """Return the report.

    Args:
        advance: What the look came to.
        state: The deployment afterwards.
        looks: Of the rollout, the first one first.
    """
    rollout = advance.rollout
    parts: list[Table | Figure] = []
    if looks:
        evidence = looks[-1].facts
        gates, pairs = evidence.get("gates", []), pairs_named(rollout)
        parts += [gates_table(gates), *wealth_figures(gates, pairs), *traffic(looks, pairs), looks_table(looks)]
    if rollout is not None:
        parts.append(policy_table(rollout))
    return Page(
        f"Rollout of {state.name}", advance.verdict, advance.reason, TONES.get(advance.verdict, "neutral"), facts(advance, state), parts
    )


def summary_page(advance: Advance, state: Deployment, looks: Sequence[Look]) -> Page:
    """Return what fits beside the step in the Kubeflow UI: the verdict and what each gate says at the last look.

    Args:
        advance: What the look came to.
        state: The deployment afterwards.
        looks: Of the rollout, the first one first.
    """
    gates = looks[-1].facts.get("gates", []) if looks else []
    tone = TONES.get(advance.verdict, "neutral")
    return Page(
        f"Rollout of {state.name}", advance.verdict, advance.reason, tone, facts(advance, state), [gates_table(gates)] if gates else []
    )


def facts(advance: Advance, state: Deployment) -> dict[str, Cell]:
    """Return what stands, and since when it is tried."""
    shown: dict[str, Cell] = {
        "champion": state.champion.version if state.champion else "none",
        "challenger": state.challenger.version if state.challenger else "none",
        "phase": f"{state.phase} at {state.percent}%" if state.phase == "canary" else state.phase,
        "generation": state.generation,
    }
    if advance.rollout is not None:
        shown["began (UTC)"] = f"{advance.rollout.began_at:%d %B %Y %H:%M}"
        shown["deadline (UTC)"] = f"{advance.rollout.deadline:%d %B %Y %H:%M}"
        shown |= {} if advance.rollout.policy.needs_labels else {"judged by": ALARMS}
    return shown


def gates_table(gates: Sequence[Mapping[str, Any]]) -> Table:
    """Return what each gate says."""
    rows = [
        {"gate": gate["name"], "says": gate["verdict"], "why": gate["reason"], "bad": gate["verdict"] in ("abort", "hold")}
        for gate in gates
    ]
    return Table("Gates", rows, note="Every gate must pass to promote; any gate may abort.", flag="bad")


def pairs_named(rollout: Rollout | None) -> str:
    """Return what a person calls the pairs that count."""
    return "labelled pairs" if rollout is None or rollout.policy.needs_labels else "pairs"


def wealth_figures(gates: Sequence[Mapping[str, Any]], pairs: str = "labelled pairs") -> list[Figure]:
    """Return one figure a gate that has seen anything."""
    figures: list[Figure] = []
    for gate in gates:
        series: dict[str, Points] = {}
        for test in gate["tests"]:
            if len(test["counts"]) > 1:
                series[test["name"]] = (test["counts"], test["log10_wealth"])
        if not series:
            continue
        from math import log10

        needed = {f"needed at α = {alpha:.3g}": -log10(alpha) for alpha in sorted({test["alpha"] for test in gate["tests"]})}
        unit = "requests" if gate["name"] in ("latency", "errors") else "units" if gate["name"] == "ratio" else pairs
        figures.append(
            Figure(f"Wealth: {gate['name']}", lines(series, x=unit, y="wealth (log10)", mark_y=needed), WEALTH if not figures else "")
        )
    return figures


def traffic(looks: Sequence[Look], pairs: str = "labelled pairs") -> list[Figure]:
    """Return what each look had seen."""
    seen = [look.facts.get("seen") for look in looks]
    numbers = [look.number for look, found in zip(looks, seen, strict=True) if found]
    if len(numbers) < 2:
        return []
    told = [found for found in seen if found]
    names = {"total": "requests", "pairs": pairs, "requests": "requests of the step"}
    series: dict[str, Points] = {label: (numbers, [found[name] for found in told]) for name, label in names.items()}
    percent: dict[str, Points] = {"challenger's share": ([look.number for look in looks], [look.percent for look in looks])}
    return [
        Figure("Traffic", lines(series, x="look", y="count")),
        Figure("Share of traffic", lines(percent, x="look", y="percent of clients")),
    ]


def looks_table(looks: Sequence[Look]) -> Table:
    """Return the looks, the latest ones."""
    rows: list[dict[str, Cell]] = [
        {
            "look": look.number,
            "at (UTC)": f"{datetime.fromisoformat(look.at):%d %b %H:%M:%S}".replace(" ", "\u00a0"),
            "phase": f"{look.phase} {look.percent}%" if look.phase == "canary" else look.phase,
            "verdict": look.verdict,
            "why": look.reason,
        }
        for look in looks[-LATEST:]
    ]
    return Table("Looks", rows, note=f"The last {LATEST} of {len(looks)}." if len(looks) > LATEST else "")


def policy_table(rollout: Rollout) -> Table:
    """Return what was fixed before the rollout began."""
    values = rollout.policy.as_dict()
    rows: list[dict[str, Cell]] = [
        {"field": name.replace("_", " "), "value": written(value)} for name, value in values.items() if value not in ([], "")
    ]
    return Table("Policy", rows, note="Fixed before the rollout began, and kept in the audit chain. Times are in seconds.")


def written(value: Any) -> str:
    """Return a policy's value as a person writes it.

    >>> written([5, 50]), written({"kind": "cost", "scale": 1.0}), written(True)
    ('5, 50', 'kind cost, scale 1', 'yes')
    """
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {written(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(written(item) for item in value)
    return show(value)
