"""The ``vertex`` section of a configuration file: where on Vertex AI a pipeline runs, and how.

Everything is checked here, before any call and without Google's library, because Google answers a bad name minutes later, or with a
message that names no field. Labels especially: its own client looks only at whether they are texts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from ratchet.errors import ExpressionError, ParameterError, nearest
from ratchet.features.durations import parse_duration

FORMS = {
    "project": (r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|[0-9]+", "a project's id or number, e.g. my-project"),
    "location": (r"[a-z]+(?:-[a-z]+[0-9]+)?", "a region, e.g. europe-west4"),
    "pipeline_root": (r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](?:/\S*)?", "a path in a bucket, e.g. gs://my-bucket/pipelines"),
    "service_account": (r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address, e.g. pipelines@my-project.iam.gserviceaccount.com"),
    "network": (
        r"projects/[0-9]+/global/networks/[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?",
        "projects/NUMBER/global/networks/NAME, with the project's number, not its id",
    ),
    "kms_key": (
        r"projects/[^/\s]+/locations/[^/\s]+/keyRings/[^/\s]+/cryptoKeys/[^/\s]+",
        "projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY",
    ),
    "failure_policy": (r"slow|fast", "slow (go on with what can) or fast (start nothing more after a failure)"),
}
REQUIRED = ("project", "location", "pipeline_root")
LABELS = 64
LABEL = 63
BILLING = "vertex-ai-pipelines-run-billing-id"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class VertexPlace:
    """Where on Vertex AI, and how.

    Attributes:
        project: Id or number of the Google Cloud project.
        location: Region, e.g. "europe-west4".
        pipeline_root: Where artifacts are kept, ``gs://BUCKET/PATH``.
        service_account: What the steps run as; empty for the project's default, which is seldom wanted.
        network: VPC network that the steps are peered with.
        kms_key: Customer-managed key that encrypts the job and all that it makes; in the same location.
        labels: For bills and filters, by Google's rules.
        enable_caching: False caches nothing. Nothing caches more than the compiled file allows: a cached effect would not happen.
        failure_policy: "slow" or "fast"; empty for Google's default, slow.
        timeout: Seconds that a submission waits for its job at most; written as a number, or as a text like "24h".
        poll: Seconds between two looks, written likewise.
        api_endpoint: Host or URL of the service; empty for the location's own. ``http://`` is taken on loopback only.
        operation: What this submission is for, e.g. a commit or a build's id: the same inputs and operation are the same job.
        settings: Settings file of this machine, from which the ledger is found that the steps write to. Empty for the file that the
            pipeline's own ``settings`` names where it is on this machine too, else for the environment.
    """

    project: str
    location: str
    pipeline_root: str
    service_account: str = ""
    network: str = ""
    kms_key: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    enable_caching: bool = True
    failure_policy: str = ""
    timeout: float = 86_400.0
    poll: float = 30.0
    api_endpoint: str = ""
    operation: str = ""
    settings: str = ""

    @classmethod
    def read(cls, section: Mapping[str, Any]) -> "VertexPlace":
        """Read the section.

        Args:
            section: As the configuration file has it.

        Raises:
            ParameterError: a key is unknown or missing, or a value is not of its form.
        """
        known = {item.name: item for item in fields(cls)}
        for name in section:
            if name not in known:
                raise ParameterError(f"vertex.{name} is not a setting; {nearest(name, known)}")
        missing = [name for name in REQUIRED if not section.get(name)]
        if missing:
            raise ParameterError(f"vertex.{missing[0]} is missing; give {FORMS[missing[0]][1]}")
        place = cls(**{name: _of_kind(name, value, known[name].type) for name, value in section.items() if value is not None})
        place._check()
        return place

    @property
    def parent(self) -> str:
        """The resource that jobs and schedules belong to."""
        return f"projects/{self.project}/locations/{self.location}"

    @property
    def endpoint(self) -> str:
        """URL of the service."""
        endpoint = self.api_endpoint or f"{self.location}-aiplatform.googleapis.com"
        return (endpoint if "://" in endpoint else f"https://{endpoint}").rstrip("/")

    @property
    def is_loopback(self) -> bool:
        """The service is on this machine and without TLS, so nobody's token is sent to it."""
        return self.endpoint.startswith("http://")

    def _check(self) -> None:
        for name, (form, told) in FORMS.items():
            value = getattr(self, name)
            if value and not re.fullmatch(form, value):
                raise ParameterError(f"vertex.{name} is {value!r}; it must be {told}")
        check_labels(self.labels)
        if self.kms_key and f"/locations/{self.location}/" not in self.kms_key:
            raise ParameterError(f"vertex.kms_key is {self.kms_key!r}; it must be a key in the job's own location, {self.location}")
        for name in ("timeout", "poll"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ParameterError(f"vertex.{name} is {getattr(self, name):g}; it must be above 0 seconds")
        if self.is_loopback and urlsplit(self.endpoint).hostname not in LOOPBACK:
            raise ParameterError(f"vertex.api_endpoint is {self.api_endpoint!r}; a token is sent to it, so it must be https://")


def _of_kind(name: str, value: Any, kind: Any) -> Any:
    """Return a value of the section as its declared kind; YAML reads a bare project number as a number, and that is meant."""
    if kind is str and isinstance(value, int) and not isinstance(value, bool) and name in ("project", "operation"):
        return str(value)
    if kind is float and isinstance(value, str):
        try:
            return parse_duration(value, f"vertex.{name}").total_seconds()
        except ExpressionError as error:
            raise ParameterError(str(error)) from error
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    told = {str: "a text (put it in quotes)", float: 'a number of seconds, or a text like "24h"', bool: "true or false"}.get(
        kind, "a mapping of name to text"
    )
    if isinstance(value, kind if kind in (str, bool) else Mapping) and kind is not float:
        return value
    raise ParameterError(f"vertex.{name} is {value!r}; it must be {told}")


def check_labels(labels: Mapping[Any, Any]) -> None:
    """Refuse labels that Google Cloud would refuse.

    At most 64; a key is 1 to 63 characters and begins with a letter, a value is 0 to 63; both hold only lower-case letters (of any
    script), digits, ``_`` and ``-``, in at most 128 bytes of UTF-8.

    Raises:
        ParameterError: a label breaks a rule; the message names it.

    Source:
        https://cloud.google.com/resource-manager/docs/labels-overview#requirements

    >>> check_labels({"team": "risk", "größe": "xl-2"})
    >>> check_labels({"Team": "risk"})
    Traceback (most recent call last):
    ratchet.errors.ParameterError: vertex.labels: 'Team' is no key that Google takes; it must begin with a lower-case letter and \
hold only lower-case letters, digits, _ and -, 63 at most
    """
    if len(labels) > LABELS:
        raise ParameterError(f"vertex.labels: there are {len(labels)}; Google takes {LABELS} at most")
    for key, value in labels.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise ParameterError(f"vertex.labels: {key!r} is {value!r}; put both in quotes, a label is text: {str(key)!r}: {str(value)!r}")
        if key == BILLING:
            raise ParameterError(f"vertex.labels: {key!r} is Vertex AI's own and would be overwritten; take another")
        allowed = "lower-case letters, digits, _ and -, 63 at most"
        if not (key and _is_letter(key[0]) and _fits(key)):
            raise ParameterError(
                f"vertex.labels: {key!r} is no key that Google takes; it must begin with a lower-case letter and hold only {allowed}"
            )
        if not _fits(value):
            raise ParameterError(f"vertex.labels: {key!r} is {value!r}; its value must hold only {allowed}")


def _is_letter(character: str) -> bool:
    return character.isalpha() and character == character.lower()


def _fits(text: str) -> bool:
    short = len(text) <= LABEL and len(text.encode()) <= 128
    return short and all(_is_letter(character) or character.isdecimal() or character in "_-" for character in text)
