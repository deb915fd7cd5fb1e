"""What every page has in common; tests/cli/live/test_web.py tests it by the page of webcam as well."""

import json
import re
import socket
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.cli.serving import MAX_BODY, PageServer, is_trusted_host, policy_of

PAGE = "<!doctype html><title>t</title><style>p { color: red }</style><script>alert(1)</script>"


@pytest.fixture
def server():
    def answer(request):
        if request.command == "POST":
            try:
                request.send_json({"sent": request.json()})
            except ValueError as error:
                request.send_json({"error": str(error)}, 400)
        else:
            request.send_page(PAGE)

    server = PageServer(answer, "127.0.0.1", 0)
    yield server
    server.close()


def post(server, content, **headers):
    """Status and JSON of the answer, or None where it is refused before it is read."""
    try:
        with urlopen(Request(server.address, content, headers), timeout=5) as answer:
            return answer.status, json.load(answer)
    except HTTPError as refused:
        with refused:
            return refused.code, json.load(refused) if refused.code == 400 else None


def test_a_page_may_run_the_code_in_it_and_ask_its_server_alone(server):
    with urlopen(server.address, timeout=5) as answer:
        assert answer.read().decode() == PAGE
        policy = answer.headers["Content-Security-Policy"]
    assert policy == policy_of(PAGE)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert re.fullmatch("'sha256-[A-Za-z0-9+/]{43}='", rules["script-src"])
    assert rules["script-src"] != rules["style-src"]
    assert "script-src 'none'" in policy_of("<p>no code")


def test_only_the_page_of_this_server_may_send_something(server):
    own = server.address.rstrip("/")
    assert post(server, b'{"a": 1}') == (200, {"sent": {"a": 1}})
    assert post(server, b'{"a": 1}', Origin=own) == (200, {"sent": {"a": 1}})
    for origin in ("http://evil.example", "null", own.replace("http", "https"), own.rpartition(":")[0]):
        assert post(server, b'{"a": 1}', Origin=origin) == (403, None)
    assert post(server, b'{"a": 1}', Host="evil.example", Origin="http://evil.example") == (403, None)


def test_what_is_sent_is_a_json_object_of_limited_size(server):
    for content in (b"", b"[1]", b"{", b"\xff", b"7"):
        status, answer = post(server, content)
        assert (status, list(answer)) == (400, ["error"])
    assert post(server, b"{}", **{"Content-Length": str(MAX_BODY + 1)})[0] == 400


def test_names_of_this_machine_are_trusted(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "Board")
    for host in ("board", "BOARD:8000", "localhost", "LocalHost.", "a.b.local", "[fe80::1%eth0]:80", "10.0.0.1"):
        assert is_trusted_host(host), host
    for host in ("", ".", "board.evil.example", "10.0.0.1.evil.example", "0x7f.1", "[::1].evil.example", "notlocal"):
        assert not is_trusted_host(host), host
    assert is_trusted_host("camera.lan:80", "camera.lan")


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text(max_size=20))
def test_no_name_of_a_web_site_is_trusted(text):
    is_trusted_host(text)  # whatever it is
    assert not is_trusted_host(f"{text}.example")
    assert not is_trusted_host(f"{text}.example:80")
