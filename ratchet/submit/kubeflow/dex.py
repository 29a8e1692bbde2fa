"""Log in to a Kubeflow behind Dex, as a browser does, and keep the cookies of the session.

kfp's client takes cookies and knows nothing of how they are come by. A full Kubeflow sends whoever has no session to Dex; its form takes a
name and a password, and the redirects that follow end at the API with a session's cookies set. For accounts of Dex itself and of LDAP;
with an outer identity provider, take a token (``auth: token``) or a browser's cookies (``auth: cookies``).
"""

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urljoin

from ratchet.errors import SubmissionError

API = "/apis/v2beta1/healthz"
STEPS = 3  # choosing the kind of account, the form, asking for approval


class _Form(HTMLParser):
    """The first form of a page that asks for a password, and else the links that lead to one."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.inputs: set[str] = set()
        self.hidden: dict[str, str] = {}
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.action:
            self.action = unescape(given.get("action", ""))
        elif tag == "input":
            self.inputs.add(given.get("name", ""))
            if given.get("type") == "hidden":
                self.hidden[given.get("name", "")] = given.get("value", "")
        elif tag == "a" and re.search(r"/auth/(local|ldap)\b", given.get("href", "")):
            self.links.append(unescape(given["href"]))


def session_cookies(host: str, username: str, password: str, ssl_ca_cert: str = "", timeout: float = 60.0) -> str:
    """Return the cookies of a fresh session, as kfp's client takes them.

    Args:
        host: URL of the API, which sends whoever has no session to Dex.
        username: Often an address of mail.
        password: Its password; it is in no message and in no log.
        ssl_ca_cert: File of the authority that signed the server's certificate; empty for the known ones.
        timeout: Seconds for each request.

    Raises:
        SubmissionError: the server cannot be reached, shows no form, or does not let this user in.
    """
    import requests

    session = requests.Session()
    session.verify = ssl_ca_cert or True
    try:
        page = session.get(host + API, timeout=timeout)
        for _ in range(STEPS):
            if _is_api(page):
                return "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
            form = _Form()
            form.feed(page.text)
            if "password" in form.inputs:
                page = session.post(
                    urljoin(page.url, form.action), data={**form.hidden, "login": username, "password": password}, timeout=timeout
                )
                if not _is_api(page):
                    page = session.get(host + API, timeout=timeout)  # where the last redirect leads to the pages and not to the API
                    if not _is_api(page):
                        raise SubmissionError(
                            f"Dex at {host} did not let {username!r} in; check kubeflow.username and what kubeflow.password refers to"
                        )
            elif form.links:
                page = session.get(urljoin(page.url, form.links[0]), timeout=timeout)
            else:
                break
    except requests.RequestException as error:
        raise SubmissionError(f"Kubeflow at {host} cannot be reached to log in: {error}; check kubeflow.host") from error
    raise SubmissionError(f"{host} shows no form of Dex to log in with (status {page.status_code}); check kubeflow.host and kubeflow.auth")


def _is_api(page: object) -> bool:
    """The API answers in JSON; every page that stands before it does not."""
    kind = str(getattr(page, "headers", {}).get("Content-Type", ""))
    return getattr(page, "status_code", 0) == 200 and kind.startswith("application/json")
