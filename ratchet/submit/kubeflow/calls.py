"""Calls to a Kubeflow Pipelines server: each bounded in time, retried where that may help, and never made twice by a retry.

kfp's own client waits for ever for an answer and tells what went wrong as a dump of headers. A retry is the dangerous part: the server has
no idempotency key, so when a connection is cut, or a 5xx comes back, nobody knows whether the thing was made. So everything that is made
carries a name that nothing else has, and before it is asked for again, it is looked for under that name.
"""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from ratchet.errors import SubmissionError

T = TypeVar("T")
PASSING = (429, 500, 502, 503, 504)
REMEDIES = {
    400: "the server did not take the request; is it Kubeflow Pipelines 2?",
    401: "the credentials are missing, wrong or expired; check 'auth' and what goes with it in the section 'kubeflow'",
    403: "these credentials may not do that here; check 'namespace', or have them granted the right to",
    404: "there is no such thing on this server; check 'host' and the names in the section 'kubeflow'",
    409: "it exists already and is another; choose another name, or remove what is there",
}
UNREACHABLE = "check 'host' in the section 'kubeflow', and that this machine may reach it"


@dataclass(frozen=True)
class Patience:
    """How often a call is tried, and how long is waited between.

    Attributes:
        attempts: Tries in all.
        first: Seconds before the second try; each later pause is twice as long.
        longest: No pause is longer, whatever the server asks for.
        sleep: Waits.
        clock: Seconds, as time goes by.
    """

    attempts: int = 5
    first: float = 1.0
    longest: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def pause(self, tries: int, asked: float = 0.0) -> None:
        """Wait after so many tries, longer where the server asked for it."""
        self.sleep(min(max(self.first * 2 ** (tries - 1), asked), self.longest))


@dataclass(frozen=True)
class Failure:
    """One call that failed.

    Attributes:
        status: HTTP status; 0 when there was no answer.
        said: What the server, or the connection, said.
        passing: Another try may help.
        after: Seconds that the server asked to wait.
    """

    status: int
    said: str
    passing: bool
    after: float = 0.0

    @classmethod
    def of(cls, error: Exception) -> "Failure":
        """Return what an error of the client means."""
        from kfp_server_api import ApiException

        if not isinstance(error, ApiException):
            said = str(getattr(error, "reason", None) or error)  # urllib3 wraps what happened into how often it was tried
            said = _plain(re.sub(r"^\w+\([^)]*\): ", "", said)) or type(error).__name__
            return cls(0, said, passing="certificate" not in said.lower())
        status = int(error.status or 0)
        return cls(status, _said(error), status in PASSING, _after(error.headers))

    def told(self, what: str, host: str, tries: int) -> SubmissionError:
        """Return the error that a person reads."""
        often = f" ({tries} tries)" if tries > 1 else ""
        if self.status:
            remedy = REMEDIES.get(self.status, "the server is at fault; its log says more")
            return SubmissionError(f"Kubeflow at {host} refused to {what}{often}: {self.status} {self.said}; {remedy}")
        remedy = UNREACHABLE if self.passing else "name the authority's certificate in 'ssl_ca_cert' of the section 'kubeflow'"
        return SubmissionError(f"Kubeflow at {host} did not answer when asked to {what}{often}: {self.said}; {remedy}")


@dataclass(frozen=True)
class Calls:
    """The calls of one command.

    Attributes:
        host: Who is called, for messages.
        timeout: Whole seconds for one call.
        patience: How often.
    """

    host: str
    timeout: int
    patience: Patience

    def ask(self, what: str, call: Callable[..., T], *, absent: T | None = None, **arguments: Any) -> T:
        """Make a call that changes nothing, or the same thing twice.

        Args:
            what: What is asked, after "refused to", for the message.
            call: A method of a kfp API.
            absent: Returned where the server knows no such thing (404), as after a removal that was cut; None to raise.
            arguments: Its arguments.

        Raises:
            SubmissionError: the server refused, or did not answer at the last try either.
        """
        for tries in range(1, self.patience.attempts + 1):
            answer, failure = self._once(call, arguments)
            if failure is None:
                return cast(T, answer)
            if failure.status == 404 and absent is not None:
                return absent
            if not failure.passing or tries == self.patience.attempts:
                raise failure.told(what, self.host, tries)
            self.patience.pause(tries, failure.after)
        raise AssertionError("the last try returns or raises")

    def make(self, what: str, find: Callable[[], T | None], create: Callable[..., T], **arguments: Any) -> T:
        """Make one thing, once, whatever becomes of the connection.

        Args:
            what: What is made, after "refused to", for the message.
            find: Looks for it by a name that nothing else has.
            create: Asks for it.
            arguments: Of ``create``.

        Raises:
            SubmissionError: the server refused, or did not answer at the last try either.
        """
        for tries in range(1, self.patience.attempts + 1):
            answer, failure = self._once(create, arguments)
            if failure is None:
                return cast(T, answer)
            if failure.status == 409 or failure.passing:
                if failure.passing:
                    self.patience.pause(tries, failure.after)  # before looking: what was cut may still be under way
                if (found := find()) is not None:
                    return found
            if not failure.passing or tries == self.patience.attempts:
                raise failure.told(what, self.host, tries)
        raise AssertionError("the last try returns or raises")

    def _once(self, call: Callable[..., Any], arguments: dict[str, Any]) -> tuple[Any, Failure | None]:
        from kfp_server_api import ApiException
        from urllib3.exceptions import HTTPError

        try:
            return call(**arguments, _request_timeout=self.timeout), None
        except (ApiException, HTTPError, ConnectionError) as error:
            return None, Failure.of(error)


def equals(name: str) -> str:
    """Return the filter that lists only what is displayed under a name, as kfp's client writes it.

    >>> equals("delivery")
    '{"predicates": [{"operation": 1, "key": "display_name", "stringValue": "delivery"}]}'
    """
    return json.dumps({"predicates": [{"operation": 1, "key": "display_name", "stringValue": name}]})


def _said(error: Any) -> str:
    try:
        body = json.loads(error.body)
        message = body.get("message") or body.get("error") or ""
    except (TypeError, ValueError, AttributeError):
        message = ""
    return _plain(" ".join(text for text in (str(error.reason or ""), str(message)) if text))


def _after(headers: Any) -> float:
    try:
        return max(0.0, float(headers.get("Retry-After", 0)))
    except (TypeError, ValueError, AttributeError):
        return 0.0


def _plain(text: str) -> str:
    """One line, not too long."""
    line = " ".join(text.split())
    return line if len(line) <= 300 else line[:299] + "…"
