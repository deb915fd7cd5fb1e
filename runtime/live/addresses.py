"""Addresses of streams and snapshots: printed without their passwords, and probed for what they answer with."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

UNNAMED = ("application/octet-stream", "text/plain")  # types that say nothing; the second stands for none as well
PICTURES = (b"\xff\xd8\xff", b"\x89PNG")  # what files of JPEG and PNG begin with
PROBE_SECONDS = 3.0  # a server that does not answer a probe in that time is left to FFmpeg
SECRET_PARAMETER = re.compile(r"([?&;][^=&;#]*(?:pas|pwd|token|secret|key|auth)[^=&;#]*=)[^&;#]+", re.IGNORECASE)


def without_credentials(address: str) -> str:
    """Returns a source's name as it may be printed: an address without user, password and the like.

    >>> without_credentials("rtsp://user:secret@camera:554/stream?channel=1&pwd=secret")
    'rtsp://camera:554/stream?channel=1&pwd=...'

    Anything that is not an address is returned as it is.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        rest = authority.rpartition("@")[2] + rest[len(authority) :]
    elif "@" in rest and not re.fullmatch(r"(\[[^]]*\]|[^:]*)(:\d*)?", authority):
        rest = rest.rpartition("@")[2]  # a password with a "/" in it, which should have been written as %2F
    return scheme + separator + SECRET_PARAMETER.sub(r"\1...", rest)


def is_snapshot(address: str) -> bool:
    """Whether an http address answers with one picture, rather than with a stream or a video."""
    try:
        with answer(address, PROBE_SECONDS) as response:
            kind = str(response.headers.get_content_type())
            if kind in UNNAMED and response.length is not None:  # a stream has no length
                return bytes(response.read(4)).startswith(PICTURES)
            return kind.startswith("image/")
    except (OSError, ValueError):  # FFmpeg may do better, or else its error is reported
        return False


@contextmanager
def answer(address: str, seconds: float) -> Iterator[Any]:
    """Yields the response to a GET request, with the address's user and password.

    Raises OSError or ValueError for whatever goes wrong, a response of another status than 200 included.
    """
    # imported here since most sources need no HTTP
    from http.client import HTTPException
    from urllib import request

    parts = urlsplit(address)
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    passwords = request.HTTPPasswordMgrWithDefaultRealm()
    if parts.username is not None:
        passwords.add_password(None, bare, unquote(parts.username), unquote(parts.password or ""))
    client = request.build_opener(request.HTTPDigestAuthHandler(passwords), request.HTTPBasicAuthHandler(passwords))
    try:
        with client.open(bare, timeout=seconds) as response:
            yield response
    except HTTPException as error:
        raise OSError(str(error)) from error
