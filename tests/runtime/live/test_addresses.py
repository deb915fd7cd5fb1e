import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitocr.runtime.live.addresses import answer, is_snapshot, without_credentials


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://user:secret@cam/", "rtsp://cam/"),
        ("rtsp://user:secret@cam:554/a?b=1#c", "rtsp://cam:554/a?b=1#c"),
        ("rtsp://user:se@cret@[::1]:554/", "rtsp://[::1]:554/"),
        ("http://user@cam/snap.jpg", "http://cam/snap.jpg"),
        ("rtsp://user:sec/ret@cam/", "rtsp://cam/"),
        ("rtsp://user:sec?ret@cam/", "rtsp://cam/"),
        ("http://cam/snap.cgi?usr=me&pwd=secret&x=1", "http://cam/snap.cgi?usr=me&pwd=...&x=1"),
        ("http://cam/snap.cgi?loginpas=secret", "http://cam/snap.cgi?loginpas=..."),
        ("http://cam:8080/at@home.jpg", "http://cam:8080/at@home.jpg"),
        ("http://[::1]:8080/at@home.jpg", "http://[::1]:8080/at@home.jpg"),
        ("clip@home.avi", "clip@home.avi"),
        ("0", "0"),
    ],
)
def test_an_address_is_shown_without_its_secrets(address, shown):
    assert without_credentials(address) == shown


WORDS = st.text("abc0123:@%.-_", max_size=8)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(user=WORDS, path=st.text("abc/@?=", max_size=8))
def test_no_secret_is_left_in_an_address(user, path):
    shown = without_credentials(f"rtsp://{user}:S3CRET@cam/{path}")
    assert "S3CRET" not in shown
    assert shown.startswith("rtsp://cam/")
    assert without_credentials(shown) == shown


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text(max_size=30))
def test_any_text_can_be_shown(text):
    if "://" not in text:
        assert without_credentials(text) == text
    without_credentials(f"http://{text}")


@pytest.fixture
def server():
    """A function that serves one answer, and gives its address; and the requests that came."""
    servers, seen = [], []

    def serve(kind, content=b"", status=200, demands=""):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append((self.path, self.headers.get("Authorization", "")))
                if demands and not seen[-1][1]:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", demands)
                else:
                    self.send_response(status)
                    self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *words):
                pass

        running = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(running)
        return f"127.0.0.1:{running.server_address[1]}/a?b=1", seen

    yield serve
    for running in servers:
        running.shutdown()
        running.server_close()


@pytest.mark.parametrize(
    ("kind", "status", "is_one"),
    [
        ("image/jpeg", 200, True),
        ("image/png; charset=x", 200, True),
        ("multipart/x-mixed-replace; boundary=b", 200, False),
        ("video/mp4", 200, False),
        ("image/jpeg", 404, False),
    ],
)
def test_a_snapshot_is_told_by_the_type_of_the_answer(server, kind, status, is_one):
    address, _ = server(kind, status=status)
    assert is_snapshot(f"http://{address}") is is_one


@pytest.mark.parametrize("kind", ["application/octet-stream", "text/plain"])
@pytest.mark.parametrize(
    ("content", "is_one"), [(b"\xff\xd8\xff\xe0", True), (b"\x89PNG\r\n", True), (b"\0\0\0\x18", False), (b"", False)]
)
def test_a_picture_of_a_type_that_says_nothing_is_told_by_its_content(server, kind, content, is_one):
    address, _ = server(kind, content)
    assert is_snapshot(f"http://{address}") is is_one


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/", "http://127.0.0.1:port/", "http://[/", "http://"])
def test_an_address_that_does_not_answer_is_no_snapshot(address):
    assert not is_snapshot(address)


@pytest.mark.parametrize("demands", ['Basic realm="cam"', 'Digest realm="cam", nonce="1", qop="auth"'])
def test_user_and_password_are_sent_where_they_are_demanded(server, demands):
    address, seen = server("image/jpeg", b"content", demands=demands)
    with answer(f"http://us%65r:secret@{address}", 5) as response:
        assert response.read() == b"content"
    assert [path for path, _ in seen] == ["/a?b=1", "/a?b=1"]
    assert seen[1][1].startswith(demands.split()[0])
    if demands.startswith("Basic"):
        assert seen[1][1] == "Basic dXNlcjpzZWNyZXQ="
