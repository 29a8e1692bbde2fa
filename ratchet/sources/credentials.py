"""What a source's text opens, and what of it may be seen.

A source is a pipeline's parameter, so everybody who may look at a run reads it: a password has no place in it. It comes in by reference
(``env:NAME``, ``file:PATH``), and the reference is what metadata show. A signed URL is another matter: it runs out by itself and is made to
be passed on, so it is taken, and shown without its signature.
"""

import re
from urllib.parse import quote, quote_plus, unquote

from ratchet.errors import ParameterError
from ratchet.settings import resolve_secret

HIDDEN = "***"
MAX_LENGTH = 8_192
_URL = re.compile(r"(?i)^[a-z][a-z0-9+.\-]*://")
_WEB = ("http", "https", "gs", "gcs", "s3", "s3a", "memory")  # the authority ends at the first slash, whatever comes after
_USERINFO = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.\-]*://[^:/@?#]*:)([^@]+)(@)")  # as SQLAlchemy reads it: a password may hold slashes
_WEB_USERINFO = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.\-]*://[^:/@?#]*:)([^/?#]+)(@)")
_PASSWORDS = re.compile(r"(?i)passw|passphrase|^pwd$|secret")
_TOKENS = re.compile(r"(?i)^sig$|^code$|token|signature|credential|api_?key|access_?key|account_?key|private_?key")
_PAIR = re.compile(r"([?&;])([^=&;?#]+)=([^&;#]*)")
_INSIDE = re.compile(r"(?i)(?:^|[;\s])(?:pwd|password)\s*=\s*([^;\s]+)")  # an ODBC connection text within a value


def resolved_source(text: str) -> tuple[str, str]:
    """Return what to open, and what to show in its place.

    Args:
        text: A path, a URL, or a secret reference to a URL (``env:NAME``, ``file:PATH``).

    Returns:
        The path or URL to open, which must reach no log, and a text for logs, errors and metadata: the reference where there is one, else
        the same text without signatures and tokens.

    Raises:
        ParameterError: the text holds a password, or what it refers to is no URL.
        SettingsError: the reference leads nowhere.

    >>> resolved_source("postgresql+psycopg://reader:hunter2@db/shop")
    Traceback (most recent call last):
    ...
    ratchet.errors.ParameterError: source 'postgresql+psycopg://reader:***@db/shop' holds a password; put the whole URL ...
    >>> resolved_source("https://example.org/a.csv?sig=abc&page=1")[1]
    'https://example.org/a.csv?sig=***&page=1'
    """
    source = text.strip()
    opened = resolve_secret(source)
    if opened != source:
        if len(opened) > MAX_LENGTH or not _URL.match(opened) or "\n" in opened:
            raise ParameterError(f"source {source!r} is a secret reference, and what it holds is no URL; give a path as it is, without one")
        return opened, source
    refuse_password(source)
    return source, shown(source)


def refuse_password(source: str) -> None:
    """Refuse a source that holds a password; nothing is opened and no reference followed.

    Raises:
        ParameterError: it does; the message does not.
    """
    if _passwords(source):
        raise ParameterError(
            f"source {shown(source)!r} holds a password; put the whole URL into a variable or a mounted file of the step, and give "
            f"env:NAME or file:PATH as the source"
        )


def shown(text: str) -> str:
    """Return a path or URL as it may be seen: without password, signature or token.

    >>> shown("mysql://u:p@host/db?ssl_key=/k&password=x"), shown("data/month:2.csv")
    ('mysql://u:***@host/db?ssl_key=/k&password=***', 'data/month:2.csv')
    """
    if not _URL.match(text):
        return text
    hidden = _userinfo(text).sub(rf"\g<1>{HIDDEN}\g<3>", text)
    return _PAIR.sub(_without_value, hidden)


def without_secrets(message: str, url: str) -> str:
    """Return a library's message without what is secret in the URL that it was given.

    Args:
        message: E.g. a driver's error.
        url: What was opened; each of its passwords and tokens is hidden, also as a URL writes it.

    >>> without_secrets("cannot log in with p/w", "postgresql://u:p%2Fw@host/db")
    'cannot log in with ***'
    """
    for secret in sorted(_passwords(url) | _tokens(url), key=len, reverse=True):
        for form in {secret, unquote(secret), quote(unquote(secret), safe=""), quote_plus(unquote(secret))}:
            message = message.replace(form, HIDDEN)
    return message


def _userinfo(url: str) -> re.Pattern[str]:
    return _WEB_USERINFO if url.partition("://")[0].lower() in _WEB else _USERINFO


def _passwords(url: str) -> set[str]:
    if not _URL.match(url):
        return set()
    found = {match[2] for match in [_userinfo(url).match(url)] if match}
    for name, value in _pairs(url):
        if _PASSWORDS.search(name):
            found.add(value)
        found |= set(_INSIDE.findall(value))
    return found - {""}


def _tokens(url: str) -> set[str]:
    return {value for name, value in _pairs(url) if _TOKENS.search(name)} - {""}


def _pairs(url: str) -> list[tuple[str, str]]:
    return [(match[2], unquote(match[3])) for match in _PAIR.finditer(url)]


def _without_value(match: re.Match[str]) -> str:
    mark, name, value = match.groups()
    secret = _PASSWORDS.search(name) or _TOKENS.search(name) or _INSIDE.search(unquote(value))
    return f"{mark}{name}={HIDDEN}" if secret and value else match[0]
