"""Serves a page to browsers from threads of its own, by the standard library: who may ask, and what a page may load.

def answer(request: Request) -> None:
    if (request.method, request.path) == ("GET", "/"):
        request.send_page(PAGE)
    else:
        request.send_error(HTTPStatus.NOT_FOUND)

server = PageServer(answer, "127.0.0.1", 8000)
print(server.address)
"""

import base64
import errno
import hashlib
import ipaddress
import json
import os
import re
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from digitocr.cli import deadline
from digitocr.runtime.errors import DeviceError, UsageError

VIEWER_SECONDS = 10.0  # seconds that a viewer may take for one piece of an answer before it is dropped
MAX_CONNECTIONS = 32  # at a time; a page has one for its pictures and a short one for each of its questions
MAX_BODY = 1_000_000  # bytes that a request may send
POLL_SECONDS = 0.1  # in which the server notices that it is closed
POLICY = (  # what a page may do: run its own code, and ask this server alone
    "default-src 'none'; script-src {script}; style-src {style}; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class PageServer:
    """Answers the requests of browsers, each in a thread of its own, until it is closed.

    Attributes:
        local: Whether only this machine can reach it.
        address: The page's address.
    """

    def __init__(
        self, answer: "Callable[[Request], None]", host: str, port: int, patience: float = VIEWER_SECONDS
    ) -> None:
        """Starts the server.

        Args:
            answer: Answers a request, from one of several threads.
            host: The address to serve at, IPv4, IPv6 or a name of this machine.
            port: 0 for any free one.
            patience: Seconds that a viewer may take for one piece of an answer before it is dropped.

        Raises:
            DeviceError: The port is taken or may not be used.
            UsageError: The address is not one of this machine, or the port is no port.
        """
        if not 0 <= port <= 65535:
            raise UsageError(f"a port is from 0 to 65535, not {port}")
        try:
            self._server = _Server(host, port, answer, patience)
        except UnicodeError:
            raise UsageError(f"{host} is not an address of this machine") from None
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                taken = "is taken" if error.errno == errno.EADDRINUSE else "may not be used"
                raise DeviceError(f"port {port} {taken}; name another one by --port") from None
            raise UsageError(f"{host}:{port} is not an address of this machine ({error.strerror})") from None
        bound, port = self._server.server_address[:2]
        self.local = ipaddress.ip_address(str(bound)).is_loopback
        if ipaddress.ip_address(str(bound)).is_unspecified:  # 0.0.0.0 and :: are no addresses that a browser opens
            host = "localhost"
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        threading.Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="digitocr web", daemon=True
        ).start()

    def close(self) -> None:
        """Ends the server. Answers that are being sent are not waited for."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """The server with a limit on connections."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = os.name == "posix"  # on Windows it would let two servers share a port

    def __init__(self, host: str, port: int, answer: "Callable[[Request], None]", patience: float) -> None:
        self.answer, self.host, self.patience = answer, host, patience
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        super().__init__((host, port), Request)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Handles a request in a thread of its own, or refuses it while there are MAX_CONNECTIONS."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        with suppress(OSError):  # it may have left already
            request.sendall(b"HTTP/1.0 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A viewer that leaves is not an error."""


class _HeadOnly(Exception):
    """The head of an answer is sent, and no more was asked for."""


class Request(BaseHTTPRequestHandler):
    """A request, and the ways to answer it. `method` is GET or POST, `path` what stands behind the address.

    HEAD is answered as GET is, without the content.
    """

    server: _Server

    @property
    def method(self) -> str:
        return "GET" if self.command == "HEAD" else self.command

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(self.server.patience)
        self.rfile = deadline.reader(self.connection, self.server.patience)

    def do_GET(self) -> None:
        if not is_trusted_host(self.headers.get("Host", ""), self.server.host):
            # DNS rebinding: a web site lets its name point here, to see the answer through its visitor's browser
            self.send_error(HTTPStatus.FORBIDDEN, "Use the IP address of this machine, its name, or localhost")
        else:
            self.server.answer(self)

    def do_HEAD(self) -> None:
        with suppress(_HeadOnly):
            self.do_GET()

    def do_POST(self) -> None:
        origin = self.headers.get("Origin")  # a browser sends it with every POST, and no page can change it
        if origin is not None and origin != f"http://{self.headers.get('Host', '')}":
            self.send_error(HTTPStatus.FORBIDDEN, "Only the page of this server may send something")
        else:
            self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing: stderr is for what a person must know."""

    def json(self) -> dict[str, Any]:
        """The JSON object that a POST has sent. Raises ValueError where it is none."""
        length = int(self.headers.get("Content-Length", "0"))
        if not 0 < length <= MAX_BODY:
            raise ValueError(f"a request has 1 to {MAX_BODY} bytes, not {length}")
        sent = json.loads(self.rfile.read(length))
        if not isinstance(sent, dict):
            raise ValueError("a request is a JSON object")
        return sent

    def has_left(self) -> bool:
        """Whether the viewer has closed the connection."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

    def begin(self, kind: str, status: HTTPStatus = HTTPStatus.OK, policy: str = "") -> None:
        """Sends the head of an answer of that content type."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("X-Content-Type-Options", "nosniff")
        if policy:
            self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        if self.command == "HEAD":
            raise _HeadOnly

    def send(self, kind: str, content: bytes, status: HTTPStatus = HTTPStatus.OK) -> None:
        """Sends a whole answer of that content type."""
        self.begin(kind, status)
        self.wfile.write(content)

    def send_page(self, page: str) -> None:
        """Sends a page, which may run the code that stands in it, and load what this server has."""
        self.begin("text/html; charset=utf-8", policy=policy_of(page))
        self.wfile.write(page.encode())

    def send_json(self, value: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        """Sends a value as JSON."""
        self.send("application/json", json.dumps(value).encode(), status)


def policy_of(page: str) -> str:
    """The Content-Security-Policy of a page: only the scripts and styles that stand in it count."""
    allowed = {}
    for kind in ("script", "style"):
        blocks = re.findall(rf"<{kind}>(.*?)</{kind}>", page, re.DOTALL)
        hashes = [base64.b64encode(hashlib.sha256(block.encode()).digest()).decode() for block in blocks]
        allowed[kind] = " ".join(f"'sha256-{one}'" for one in hashes) or "'none'"
    return POLICY.format_map(allowed)


def is_trusted_host(host: str, served: str = "") -> bool:
    """Whether a request's Host header is one that a foreign web site cannot have.

    DNS rebinding needs a name that the attacker owns. IP addresses, localhost, this machine's own name, the name that
    the page is served at, and names under .local, which are not resolved by DNS, are accepted.

    Args:
        host: The header, with or without a port.
        served: The name or address of --host.
    """
    name = host if host.endswith("]") or ":" not in host else host.rpartition(":")[0]
    try:
        ipaddress.ip_address(name[1:-1] if name.startswith("[") and name.endswith("]") else name)
    except ValueError:
        name = name.lower().removesuffix(".")
        own = ("localhost", socket.gethostname().lower(), served.lower())
        return name != "" and (name in own or name.endswith(".local"))
    return True
