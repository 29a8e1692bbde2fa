"""One bounded POST to a URL that an operator configured. The URL may hold a token, so it is never logged; its host is."""

import json
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ratchet.errors import SettingsError

TIMEOUT = 10.0


class _NoRedirect(HTTPRedirectHandler):
    """A redirect could lead into the cluster, or to a file; the operator gave one address."""

    def redirect_request(self, *arguments: Any) -> None:
        return None


def post_json(url: str, body: dict[str, Any], *, timeout: float = TIMEOUT) -> int:
    """POST a JSON body and return the status.

    Args:
        url: http or https.
        body: JSON values.
        timeout: Seconds for the connection and for each read.

    Raises:
        SettingsError: the URL is of another scheme, or the receiver does not accept.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"webhook URL of scheme {parts.scheme!r} cannot be posted to; point RATCHET_WEBHOOK_URL to an https:// address")
    data = json.dumps(body, ensure_ascii=False).encode()
    request = Request(url, data=data, headers={"Content-Type": "application/json"}, method="POST")  # noqa: S310 (scheme checked)
    try:
        with build_opener(_NoRedirect).open(request, timeout=timeout) as response:
            return int(response.status)
    except (URLError, OSError, ValueError) as error:
        why = f"status {error.code}" if isinstance(error, HTTPError) else getattr(error, "reason", error)
        raise SettingsError(f"webhook at {parts.hostname!r} did not accept: {why}; see that it is up and takes JSON") from None
