"""Deployments and their history as a person reads them in a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ratchet.delivery import pairs

if TYPE_CHECKING:
    from ratchet.delivery.audit import AuditRow
    from ratchet.delivery.deployment import Deployment, ModelRef
    from ratchet.delivery.verdicts import Run


def status_table(deployments: "Sequence[tuple[Deployment, AuditRow | None]]", console: Console | None = None) -> None:
    """Print one row a deployment.

    Args:
        deployments: Each with the change that made its champion live; None without a champion.
        console: Where to.
    """
    console = console or Console(highlight=False)
    if not deployments:
        console.print("No deployments yet; the first run of `ratchet submit delivery` that promotes a model makes one.", markup=False)
        return
    table = Table("deployment", "champion", "live since (UTC)", "before it", "challenger", "generation", box=None, pad_edge=False)
    for item, promotion in deployments:
        since = promotion.at[:16].replace("T", " ") if promotion else "–"
        share = f"canary {item.percent}%" if item.phase == "canary" else "in shadow"
        challenger = f"{_version(item.challenger)}, {share}" if item.challenger else "watched" if item.phase == "watch" else "none"
        table.add_row(
            item.name, _version(item.champion) + _together(promotion), since, _version(item.previous), challenger, str(item.generation)
        )
    console.print(table)


def history_table(name: str, rows: "Sequence[AuditRow]", console: Console | None = None) -> None:
    """Print each change with its reason below it, oldest first."""
    console = console or Console(highlight=False)
    console.print(f"{name}, oldest first (times in UTC)", markup=False)
    for row in rows:
        tried = f"  challenger: {_version(row.after.challenger)}" if row.after.challenger else ""
        told = f"{row.at[:19].replace('T', ' ')}  {row.action:<8}  champion: {_version(row.after.champion)}{tried}  by {row.who}"
        console.print(told, markup=False)
        if encoder := pairs.told(row):
            console.print(Padding(Text(f"encoder: {encoder}"), (0, 0, 0, 4)))
        console.print(Padding(Text(row.why), (0, 0, 0, 4)))


def runs_table(name: str, runs: "Sequence[Run]", console: Console | None = None) -> None:
    """Print each run with the reason of its outcome below it, oldest first."""
    console = console or Console(highlight=False)
    console.print(f"{name}, oldest first (times in UTC)", markup=False)
    for run in runs:
        console.print(f"{run.at[:19].replace('T', ' ')}  {run.outcome.word:<11}  run {run.run_id}", markup=False)
        console.print(Padding(Text(run.outcome.reason), (0, 0, 0, 4)))


def _together(promotion: "AuditRow | None") -> str:
    """Name what a champion was promoted together with: its encoder, or the stacked model that an encoder went with."""
    encoder, stacked = pairs.needed(promotion), pairs.leader(promotion)
    other = f"{encoder.name} {encoder.model.version}" if encoder else stacked[0] if stacked else ""
    return f" with {other}" if other else ""


def _version(model: "ModelRef | None") -> str:
    return f"version {model.version}" if model else "none"
