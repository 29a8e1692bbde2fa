"""Which Kubeflow to talk to, and as whom: the section ``kubeflow`` of a configuration file.

A credential is never in it, only a reference to one (``env:NAME`` or ``file:PATH``), because configuration files are committed. A reference
is resolved at each call, so that a token that is renewed while a run is waited for goes on working.
"""

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ratchet.errors import ExpressionError, ParameterError, SettingsError, nearest
from ratchet.features.durations import parse_duration
from ratchet.settings import resolve_secret

if TYPE_CHECKING:
    from kfp import Client

AUTH = {  # how to authenticate: what it needs, what it may have
    "none": ((), ()),
    "in-cluster": ((), ("token_file",)),
    "token": ((), ("token", "token_file")),
    "cookies": (("cookies",), ()),
    "dex": (("username", "password"), ()),
}
CREDENTIALS = ("token", "token_file", "cookies", "username", "password")
SECRETS = ("token", "cookies", "password")
SPANS = ("timeout", "poll", "request_timeout")
NOT_POSSIBLE = {
    "enable_caching": "Kubeflow cannot change the caching of a version that is uploaded; what is cached follows from the kind of each step",
}


@dataclass(frozen=True)
class Installation:
    """A Kubeflow Pipelines server and how runs go there.

    Attributes:
        host: URL of its API, e.g. "https://kubeflow.example.org/pipeline".
        ui_host: URL of its pages; empty means ``host``.
        namespace: The user's namespace; empty for a server without users.
        experiment: Name of the experiment that runs belong to.
        auth: A key of ``AUTH``.
        token: Secret reference to a bearer token.
        token_file: Path of a file that holds one; for "in-cluster" the projected token, empty for its usual place.
        cookies: Secret reference to the cookies of a session, as a browser sends them.
        username: For Dex.
        password: Secret reference, for Dex.
        ssl_ca_cert: File of the authority that signed the server's certificate.
        service_account: Kubernetes service account of the run's pods; empty for the server's default.
        pipeline_root: Where artifacts go; empty for the server's default.
        timeout: How long a run is waited for.
        poll: How often it is looked at.
        request_timeout: How long one call may take.
        settings: Settings file of this machine, from which the ledger is found that the run writes to; empty for the environment's.
    """

    host: str = ""
    ui_host: str = ""
    namespace: str = ""
    experiment: str = "ratchet"
    auth: str = "none"
    token: str = ""
    token_file: str = ""
    cookies: str = ""
    username: str = ""
    password: str = ""
    ssl_ca_cert: str = ""
    service_account: str = ""
    pipeline_root: str = ""
    timeout: str = "6h"
    poll: str = "10s"
    request_timeout: str = "60s"
    settings: str = ""

    @classmethod
    def read(cls, section: Mapping[str, Any]) -> "Installation":
        """Return what a section says.

        Args:
            section: ``kubeflow`` of a configuration file.

        Raises:
            ParameterError: a key is unknown, a value is no text, what ``auth`` needs is missing, or a secret is in plain.
        """
        known = [item.name for item in fields(cls)]
        given = {name: _span(value) if name in SPANS else value for name, value in section.items()}
        for name, value in given.items():
            if name in NOT_POSSIBLE:
                raise ParameterError(f"kubeflow.{name} cannot be set: {NOT_POSSIBLE[name]}")
            if name not in known:
                raise ParameterError(f"kubeflow.{name} is not a setting; {nearest(name, known)}")
            if not isinstance(value, str):
                shown = "" if name in CREDENTIALS else f"{value!r}, which is "
                raise ParameterError(f"kubeflow.{name} is {shown}not a text; write it in quotes")
        host = str(given.get("host", "")) or os.environ.get("KF_PIPELINES_ENDPOINT", "")
        found = cls(**{**given, "host": host.rstrip("/")})
        found._check()
        return found

    @property
    def ui(self) -> str:
        """Where a person sees a run: ``ui`` + "/#/runs/details/…"."""
        return (self.ui_host or self.host).rstrip("/")

    @property
    def seconds(self) -> tuple[float, float, int]:
        """Seconds that a run is waited for, between two looks, and of one call."""
        try:
            whole = [
                parse_duration(getattr(self, name), f"kubeflow.{name}").total_seconds() for name in ("timeout", "poll", "request_timeout")
            ]
        except ExpressionError as error:
            raise ParameterError(str(error)) from error
        return whole[0], whole[1], max(1, round(whole[2]))

    def client(self) -> "Client":
        """Return kfp's client for this server; calls nobody but Dex.

        Raises:
            SettingsError: a secret reference points to nothing.
            SubmissionError: Dex did not let this user in.
        """
        import kfp

        given: dict[str, Any] = {"host": self.host, "ui_host": self.ui, "ssl_ca_cert": self.ssl_ca_cert or None}
        if self.auth == "in-cluster":
            from kfp.client import ServiceAccountTokenVolumeCredentials

            given["credentials"] = ServiceAccountTokenVolumeCredentials(self.token_file or None)
        elif self.auth == "token":
            given["credentials"] = _Token(self.token or f"file:{self.token_file}")
        elif self.auth == "cookies":
            given["cookies"] = resolve_secret(self.cookies)
        elif self.auth == "dex":
            from ratchet.submit.kubeflow.dex import session_cookies

            given["cookies"] = session_cookies(self.host, self.username, resolve_secret(self.password), self.ssl_ca_cert, self.seconds[2])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # "only works with Kubeflow Pipelines 2": so do we
            # Without some namespace the constructor itself asks the server for its health, five times, five seconds apart. It is
            # of no other use here: each call that depends on the namespace is given it.
            client = kfp.Client(namespace=self.namespace or "none", **given)
        _leave_retries_to_us(client)
        return client

    def _check(self) -> None:
        if not self.host:
            raise ParameterError(
                "kubeflow.host is missing; write the URL of the API, e.g. https://kubeflow.example.org/pipeline, or in a pod "
                "http://ml-pipeline.kubeflow.svc.cluster.local:8888"
            )
        if not self.host.startswith(("http://", "https://")):
            raise ParameterError(f"kubeflow.host is {self.host!r}; it must begin with https:// (or http://)")
        if self.auth not in AUTH:
            raise ParameterError(f"kubeflow.auth is {self.auth!r}; {nearest(self.auth, AUTH)}")
        needed, allowed = AUTH[self.auth]
        given = [name for name in CREDENTIALS if getattr(self, name)]
        for name in (name for name in needed if name not in given):
            raise ParameterError(f"kubeflow.auth is {self.auth!r} and needs kubeflow.{name}; set it")
        for name in (name for name in given if name not in needed + allowed):
            raise ParameterError(f"kubeflow.{name} is set and kubeflow.auth is {self.auth!r}, which does not use it; remove one of them")
        if self.auth == "token" and len(given) != 1:
            raise ParameterError("kubeflow.auth is 'token' and needs one of kubeflow.token (a reference) and kubeflow.token_file; set one")
        for name in (name for name in SECRETS if getattr(self, name) and not getattr(self, name).startswith(("env:", "file:"))):
            raise ParameterError(f"kubeflow.{name} holds the secret itself; write a reference to it, env:NAME or file:PATH")
        if self.experiment.strip() == "":
            raise ParameterError("kubeflow.experiment is empty; name the experiment that runs belong to")
        _ = self.seconds


def _span(value: Any) -> Any:
    """A bare number is of seconds."""
    return f"{value}s" if isinstance(value, int) and not isinstance(value, bool) else value


def _leave_retries_to_us(client: "Client") -> None:
    """Switch off urllib3's own retries: it would sleep for as long as a server's Retry-After says, be it a day."""
    from urllib3 import Retry

    once = Retry(total=None, connect=0, read=0, status=0, other=0, redirect=5, respect_retry_after_header=False)
    client._run_api.api_client.rest_client.pool_manager.connection_pool_kw["retries"] = once  # one client is behind all of kfp's APIs


class _Token:
    """Credentials as kfp's client asks for them: the secret behind a reference, read again at each call."""

    def __init__(self, reference: str) -> None:
        self.reference = reference
        self._token()

    def refresh_api_key_hook(self, configuration: Any) -> None:
        configuration.api_key["authorization"] = self._token()

    def _token(self) -> str:
        token = resolve_secret(self.reference).strip()
        if not token:
            raise SettingsError(f"secret reference {self.reference!r} points to nothing but blanks; put the token there")
        return token
