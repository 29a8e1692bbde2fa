"""The verbs on a deployment: what is live, what changed it, and changing it by hand."""

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ratchet.delivery.transitions import Transition

Name = Annotated[str, typer.Argument(help="Name of the deployment, e.g. card-fraud.")]
Why = Annotated[str, typer.Option("--why", help="The reason, for the audit trail.")]
Who = Annotated[str, typer.Option("--who", help="Who does it; default the user of this machine.")]


def status(name: Annotated[str, typer.Argument(help="Name of the deployment; empty for all.")] = "") -> None:
    """Show what is live, since when, and what was before."""
    from ratchet.cli.tables import status_table
    from ratchet.delivery.ledger import Ledger
    from ratchet.errors import UnknownDeploymentError, nearest
    from ratchet.settings import load_settings

    ledger = Ledger.open(load_settings())
    known = {item.name: item for item in ledger.deployments()}
    if name and name not in known:
        if runs := ledger.runs(name):
            last = runs[-1].outcome
            told = f"{len(runs)} runs decided about {name!r} and none put it live; the last was {last.word}: {last.reason}"
            raise UnknownDeploymentError(f"{told} (`ratchet runs {name}` lists them)")
        raise UnknownDeploymentError(f"no deployment {name!r} in the ledger; {nearest(name, known)}")
    shown = [known[name]] if name else list(known.values())
    status_table([(item, ledger.promotion_at(item.name, item.since)) for item in shown])


def history(name: Name) -> None:
    """Show every change of a deployment: when, who, what, why."""
    from ratchet.cli.tables import history_table
    from ratchet.delivery.ledger import Ledger
    from ratchet.settings import load_settings

    history_table(name, Ledger.open(load_settings()).history(name))


def runs(name: Name) -> None:
    """Show every run that decided something: when, what it came to, why."""
    from ratchet.cli.tables import runs_table
    from ratchet.delivery.ledger import Ledger
    from ratchet.errors import UnknownDeploymentError, nearest
    from ratchet.settings import load_settings

    ledger = Ledger.open(load_settings())
    found = ledger.runs(name)
    if not found:
        known = [item.name for item in ledger.deployments()]
        raise UnknownDeploymentError(f"no run has decided anything about {name!r}; {nearest(name, known)}")
    runs_table(name, found)


def promote(
    name: Name,
    version: Annotated[str, typer.Argument(help="Version in the model registry.")],
    why: Why = "by hand",
    who: Who = "",
) -> None:
    """Put a registered version live by hand."""
    from ratchet.delivery.promotion import promote_version
    from ratchet.settings import load_settings

    transition = promote_version(name, version, who=who or getpass.getuser(), why=why, settings=load_settings())
    print(f"{name}: version {version} is live, generation {transition.deployment.generation}")
    _print_encoder(transition)


def rollback(name: Name, why: Why = "by hand", who: Who = "") -> None:
    """Take the challenger under trial away, now; without one, put the champion before this one live. Its encoder goes with it."""
    from ratchet.delivery.promotion import rollback_now
    from ratchet.settings import load_settings

    transition = rollback_now(name, who=who or getpass.getuser(), why=why, settings=load_settings())
    live = transition.deployment.champion
    taken = "its challenger is taken away" if transition.row is None or transition.row.action == "abort" else "rolled back"
    print(f"{name}: {taken}; {f'version {live.version}' if live else 'nothing'} is live, generation {transition.deployment.generation}")
    _print_encoder(transition)


def audit(name: Name) -> None:
    """Check the audit chain: nothing edited, removed or cut."""
    from ratchet.delivery.ledger import Ledger
    from ratchet.settings import load_settings

    report = Ledger.open(load_settings()).verify_chain(name)
    print(f"{name}: {report.rows} changes, the chain holds; head {report.head}")


def _print_encoder(transition: "Transition") -> None:
    """Say what became of a stacked model's encoder."""
    from ratchet.delivery.pairs import told

    if encoder := told(transition.row):
        print(f"  its encoder: {encoder}")
