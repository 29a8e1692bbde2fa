"""Where a file can be fetched from, and how each place is spoken to.

fsspec gives every place the same few calls. What differs is settled here: credentials are what Google's and Amazon's own libraries find in
the environment and never a part of the URI; a web server may send us on, but not from https to http and not to anything else; and an
answer whose end cannot be told from a cut is refused.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ratchet.errors import ParameterError, SourceError
from ratchet.sources.credentials import shown
from ratchet.sources.transfers import source_error

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

WEB = frozenset({"http", "https"})
SCHEMES = WEB | {"gs", "gcs", "s3", "s3a", "memory"}
CONNECT_SECONDS = 30.0
SILENT_SECONDS = 60.0  # without one byte
_PLAIN = re.compile(r"[!-~]+")  # nothing that a URL must write with a percent sign


@contextmanager
def filesystem_of(uri: str) -> Iterator[tuple["AbstractFileSystem", str]]:
    """Open the filesystem of a URI, and close its connections in the end.

    Args:
        uri: Its scheme is one of `SCHEMES`.

    Yields:
        The filesystem, and the path in it.

    Raises:
        ParameterError: the scheme is another, or the URI holds a user or a password.
        SourceError: there are no credentials, or the package for the scheme is not installed.
    """
    scheme = scheme_of(uri)
    if scheme in WEB:
        with _web(uri) as filesystem:
            yield filesystem, uri
        return
    try:
        from fsspec.core import strip_protocol

        filesystem, path = _store(scheme), str(strip_protocol(uri))
    except ImportError as error:
        raise SourceError(f"source {shown(uri)!r} needs a package that is not there ({error}); install kfp-ratchet[sources]") from error
    except Exception as error:  # each filesystem raises its own library's
        raise source_error(error, uri, shown(uri)) from error
    yield filesystem, path


def scheme_of(uri: str) -> str:
    """Return the scheme of a URI that can be fetched.

    Raises:
        ParameterError: it is not one of `SCHEMES`, or there is a user or a password in the URI.

    >>> scheme_of("S3://bucket/day.parquet")
    's3'
    >>> scheme_of("https://me:mine@example.org/a.csv")
    Traceback (most recent call last):
    ...
    ratchet.errors.ParameterError: source 'https://me:***@example.org/a.csv' holds a user; credentials come from the environment ...
    """
    scheme, separator, rest = uri.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in SCHEMES or "::" in scheme or not rest.strip("/"):
        raise ParameterError(f"source {shown(uri)!r} cannot be fetched; give a URI that begins with {', '.join(sorted(SCHEMES))} and ://")
    if "@" in rest.partition("/")[0]:
        raise ParameterError(
            f"source {shown(uri)!r} holds a user; credentials come from the environment (a .netrc file, AWS_ACCESS_KEY_ID, "
            f"GOOGLE_APPLICATION_CREDENTIALS), so leave it out"
        )
    return scheme


def _store(scheme: str) -> "AbstractFileSystem":
    from fsspec import filesystem
    from fsspec.config import conf

    kept: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if scheme in ("s3", "s3a"):  # s3fs tries again by itself, and so does the transfer
        return filesystem(
            "s3", config_kwargs={"connect_timeout": CONNECT_SECONDS, "read_timeout": SILENT_SECONDS, "retries": {"max_attempts": 0}}, **kept
        )
    if scheme in ("gs", "gcs"):
        from gcsfs.core import (
            GCSFileSystem,
        )  # not the one that fsspec would take: it asks for the bucket's kind by gRPC, for minutes where that fails

        if "token" not in {**conf.get("gs", {}), **conf.get("gcs", {})}:  # FSSPEC_GS_TOKEN=anon, for a public bucket
            # Left alone, gcsfs would go on from these to a pickled file of tokens, and then to none at all.
            kept["token"] = "anon" if os.environ.get("STORAGE_EMULATOR_HOST") else "google_default"
        return GCSFileSystem(**kept)
    return filesystem(scheme)


@contextmanager
def _web(uri: str) -> Iterator["AbstractFileSystem"]:
    try:
        import aiohttp
        from fsspec.asyn import sync
        from fsspec.implementations.http import HTTPFileSystem
    except ImportError as error:
        raise SourceError(f"source {shown(uri)!r} needs a package that is not there ({error}); install kfp-ratchet[sources]") from error

    sessions: list[aiohttp.ClientSession] = []

    async def client(**options: Any) -> aiohttp.ClientSession:
        watch = aiohttp.TraceConfig()
        watch.on_request_redirect.append(_check_redirect)
        watch.on_request_end.append(_check_end)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENT_SECONDS)
        # trust_env: proxies and .netrc. What a server compresses on the way is kept as it comes, so that its length can be checked.
        sessions.append(aiohttp.ClientSession(trace_configs=[watch], trust_env=True, auto_decompress=False, timeout=timeout, **options))
        return sessions[-1]

    headers = {"Accept-Encoding": "identity"}
    encoded = bool(_PLAIN.fullmatch(uri))  # a signed URL must be asked for letter by letter
    filesystem = HTTPFileSystem(get_client=client, encoded=encoded, headers=headers, skip_instance_cache=True)
    try:
        yield filesystem
    finally:
        for session in sessions:
            sync(filesystem.loop, session.close)


async def _check_redirect(session: object, context: object, redirect: Any) -> None:
    location = redirect.response.headers.get("Location") or redirect.response.headers.get("URI") or ""
    target = urlsplit(location).scheme.lower() or redirect.url.scheme
    if target not in WEB or (redirect.url.scheme == "https" and target != "https"):
        raise SourceError(
            f"{shown(str(redirect.url))!r} leads on to {shown(location)[:200]!r}; only http may lead to http or https, and https to https"
        )


async def _check_end(session: object, context: object, request: Any) -> None:
    answer = request.response
    bounded = "Content-Length" in answer.headers or "chunked" in answer.headers.get("Transfer-Encoding", "").lower()
    if answer.status == 200 and not bounded:
        answer.close()
        raise SourceError(
            f"{shown(str(request.url))!r} does not say how long its answer is, so a cut would go unnoticed; serve it with a Content-Length"
        )
