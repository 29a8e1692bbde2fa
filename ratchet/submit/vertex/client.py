"""Vertex AI's own clients, with bounded retries, and errors that say who refused what and what to do.

The services are spoken to as REST by ``google.cloud.aiplatform_v1``: one request is one JSON body, the one that ``--dry-run`` prints, and
it passes through the proxies that companies have. Importing it takes 4 s, the whole ``google.cloud.aiplatform`` 9 s, so only what sends
something imports it.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ratchet.errors import SubmissionError
from ratchet.submit.vertex.place import VertexPlace

AGAIN = frozenset({408, 429, 500, 502, 503, 504})
ANSWER = 60.0  # seconds that one answer may take
TRIES = 10  # a minute and a half, by and large


class VertexClient:
    """The two services of Vertex AI that a submission needs, in one place of one project.

    Attributes:
        place: Where.
        cut: An earlier try of the last call may have had its effect, though no answer came.
    """

    def __init__(self, place: VertexPlace, *, tell: Callable[[str], None], first_pause: float = 1.0) -> None:
        """Connect lazily; nothing is sent yet.

        Args:
            place: Where.
            tell: Called with a line for a person when something is tried again.
            first_pause: Seconds before the second try; each pause is up to twice as long as the one before.

        Raises:
            SubmissionError: there are no Google credentials on this machine.
        """
        from google.api_core.client_options import ClientOptions
        from google.auth.exceptions import GoogleAuthError
        from google.cloud.aiplatform_v1 import PipelineServiceClient, ScheduleServiceClient

        self.place = place
        self.cut = False
        self._tell = tell
        self._first_pause = first_pause
        options = ClientOptions(api_endpoint=place.endpoint)
        try:
            credentials = _nobody() if place.is_loopback else _default_credentials()
            self._jobs = PipelineServiceClient(credentials=credentials, transport="rest", client_options=options)
            self._schedules: Any = ScheduleServiceClient(credentials=credentials, transport="rest", client_options=options)
        except GoogleAuthError as error:
            raise SubmissionError(f"this machine has no Google credentials: {error}; {self._remedy(401)}") from error

    def __enter__(self) -> "VertexClient":
        """Return itself; to be closed at the end of the block."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the connections."""
        for client in (self._jobs, self._schedules):
            client.transport.close()

    def create_job(self, request: Mapping[str, Any]) -> Any:
        """Create a job from `request_vertex`'s request; None when a job of that id is there already."""
        from google.cloud.aiplatform_v1.types import CreatePipelineJobRequest

        message = _message(CreatePipelineJobRequest, request)
        return self._call(f"create job {request['pipelineJobId']!r}", self._jobs.create_pipeline_job, message, absent=409)

    def job(self, name: str) -> Any:
        """Return a job as it stands."""
        return self._call(f"read job {name.rpartition('/')[2]!r}", self._jobs.get_pipeline_job, {"name": name})

    def create_schedule(self, request: Mapping[str, Any]) -> Any:
        """Create a schedule from `request_schedule_vertex`'s request."""
        from google.cloud.aiplatform_v1.types import CreateScheduleRequest

        message = _message(CreateScheduleRequest, request)
        return self._call(f"create schedule {request['schedule']['displayName']!r}", self._schedules.create_schedule, message)

    def schedules(self, name: str) -> list[Any]:
        """Return the schedules of a display name."""
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        request = {"parent": self.place.parent, "filter": f'display_name="{quoted}"'}
        listed = self._call(f"list schedules {name!r}", lambda **call: list(self._schedules.list_schedules(**call)), request)
        return [item for item in listed if item.display_name == name]

    def delete_schedule(self, name: str) -> None:
        """Delete a schedule; one that is gone already is as good."""

        def delete(**call: Any) -> None:
            self._schedules.delete_schedule(**call).result(timeout=ANSWER)

        self._call(f"delete schedule {name.rpartition('/')[2]!r}", delete, {"name": name}, absent=404)

    def _call(self, what: str, method: Callable[..., Any], request: Any, *, absent: int = 0) -> Any:
        """Make one call, again where that may help; None where the service answers with the status ``absent``."""
        from google.api_core.exceptions import GoogleAPICallError
        from google.api_core.retry import Retry
        from google.auth.exceptions import GoogleAuthError

        failed = 0
        self.cut = False

        def again(error: Exception) -> None:
            nonlocal failed
            failed += 1
            self.cut = self.cut or _status(error) != 429
            self._tell(f"Vertex AI did not {what} ({_told(error)}); trying again")

        pause = self._first_pause
        retry = Retry(lambda error: failed + 1 < TRIES and _worth_another_try(error), pause, 30 * pause, timeout=None, on_error=again)
        try:
            return method(request=request, retry=retry, timeout=ANSWER)
        except (GoogleAPICallError, GoogleAuthError, OSError) as error:
            status = _status(error)
            if absent and status == absent:
                return None
            often = f" after {failed + 1} tries" if failed else ""
            raise SubmissionError(
                f"Vertex AI ({self.place.endpoint}) did not {what} in {self.place.parent}{often}: {_told(error)}; {self._remedy(status)}"
            ) from error

    def _remedy(self, status: int) -> str:
        place = self.place
        runs_as = f", and roles/iam.serviceAccountUser on {place.service_account}" if place.service_account else ""
        remedies = {
            400: "the message names the field; ratchet submit --dry-run shows what is sent",
            401: "log in (gcloud auth application-default login), or give the CI job a service account",
            403: f"who submits needs roles/aiplatform.user in project {place.project!r}{runs_as}",
            404: f"check vertex.project and vertex.location, and that project {place.project!r} has the Vertex AI API enabled",
        }
        if status in AGAIN or not status:
            return "try again later; what is there already is not made twice"
        return remedies.get(status, "see the message")


def _message(kind: Any, request: Mapping[str, Any]) -> Any:
    """Return a request as Google's message; a field that the message does not have is an error, not left out."""
    return kind.from_json(json.dumps(request))


def _default_credentials() -> Any:
    import google.auth

    return google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])[0]


def _nobody() -> Any:
    """Return credentials that send no token; a refusal then arrives as the service's own 401."""
    from google.auth.credentials import AnonymousCredentials

    class Nobody(AnonymousCredentials):
        def refresh(self, request: Any) -> None:
            pass

    return Nobody()  # type: ignore[no-untyped-call]


def _status(error: BaseException) -> int:
    """Return the HTTP status of a refusal, 401 for credentials that cannot be used, 0 where no answer came."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError, TransportError

    if isinstance(error, GoogleAPICallError):
        return int(error.code or 0)
    return 401 if isinstance(error, GoogleAuthError) and not isinstance(error, TransportError) else 0


def _told(error: BaseException) -> str:
    status = _status(error)
    said = re.sub(r"^[A-Z]+ http\S+: ", "", str(getattr(error, "message", error)))  # Google's library puts the whole URL before it
    return f"{status} {said}" if status else f"the connection failed: {said}"


def _worth_another_try(error: Exception) -> bool:
    from google.auth.exceptions import TransportError

    return _status(error) in AGAIN or isinstance(error, TransportError | OSError)  # what requests raises is an OSError
