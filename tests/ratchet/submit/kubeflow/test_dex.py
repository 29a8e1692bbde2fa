"""Logging in at Dex, as it stands before a Kubeflow: redirects, a choice of accounts, a form, and a session's cookie."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from ratchet.errors import SubmissionError
from ratchet.submit.kubeflow.dex import session_cookies
from ratchet.submit.kubeflow.installation import Installation
from tests.loopback import LoopbackHandler, LoopbackServer

CHOICE = '<a href="/dex/auth/github?req=1">GitHub</a> <a href="/dex/auth/local?req=1&amp;back=">Log in with Email</a>'
FORM = """<form method="post" action="/dex/auth/local/login?state=abc&amp;back=">
<input type="hidden" name="csrf" value="xyz"><input name="login"><input name="password" type="password"></form>"""


class Dex(LoopbackHandler):
    """An authenticating proxy and Dex behind one address; "a@example.org" has the password "s3cret"."""

    protocol_version = "HTTP/1.0"  # an answer ends with its connection
    choice = True

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if "session=granted" in (self.headers.get("Cookie") or ""):
            return self._send(200, "{}", "application/json")
        if path == "/dex/auth" and self.choice:
            return self._send(200, CHOICE)
        if path in ("/dex/auth", "/dex/auth/local"):
            return self._send(200, FORM)
        return self._send(302, "", location="/dex/auth?client_id=kubeflow")

    def do_POST(self) -> None:
        given = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        right = given == {"csrf": ["xyz"], "login": ["a@example.org"], "password": ["s3cret"]}
        if right and self.path == "/dex/auth/local/login?state=abc&back=":
            return self._send(303, "", location="/apis/v2beta1/healthz", cookie="session=granted; Path=/")
        return self._send(401, FORM)

    def _send(self, status: int, text: str, kind: str = "text/html", *, location: str = "", cookie: str = "") -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Location": location, "Set-Cookie": cookie}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture(params=[True, False], ids=["with a choice of accounts", "with the form at once"])
def host(request: pytest.FixtureRequest) -> Iterator[str]:
    with LoopbackServer(type("Dex", (Dex,), {"choice": request.param})) as server:
        yield server.url


def test_the_session_s_cookies_come_back(host: str) -> None:
    assert session_cookies(host, "a@example.org", "s3cret") == "session=granted"


def test_kfp_s_client_is_let_in_with_them(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEX_PASSWORD", "s3cret")
    section = {"host": host, "auth": "dex", "username": "a@example.org", "password": "env:DEX_PASSWORD"}
    client = Installation.read(section).client()
    client.healthzs.healthz_service_get_healthz()  # without the cookie, this meets the redirects


def test_a_wrong_password_is_told_and_not_shown(host: str) -> None:
    with pytest.raises(SubmissionError, match=r"did not let 'a@example\.org' in; check kubeflow\.username") as caught:
        session_cookies(host, "a@example.org", "wr0ng")
    assert "wr0ng" not in str(caught.value)


def test_nobody_listening_is_told() -> None:
    with pytest.raises(SubmissionError, match=r"http://127\.0\.0\.1:9 cannot be reached to log in"):
        session_cookies("http://127.0.0.1:9", "a", "b")
