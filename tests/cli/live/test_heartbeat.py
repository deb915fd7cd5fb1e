import socket
from datetime import datetime, timedelta

import pytest

from digitocr.cli.live import heartbeat
from digitocr.cli.live.heartbeat import Heartbeat, notify, wall_clock


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets, in seconds."""
    now = [100.0]
    monkeypatch.setattr(heartbeat, "monotonic", lambda: now[0])
    return now


def test_it_beats_at_once_and_then_in_its_time(clock):
    beats = []
    heart = Heartbeat(10, lambda: beats.append(clock[0]))
    for clock[0] in (100.0, 100.1, 109.9, 110.0, 110.1, 145.0, 154.9, 155.0):
        heart.beat()
    assert beats == [100.0, 110.0, 145.0, 155.0]  # after a pause no beats are made up for


def test_without_seconds_it_never_beats(clock):
    heart = Heartbeat(0, lambda: pytest.fail("beats"))
    clock[0] = 1e9
    heart.beat()


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(abstract, tmp_path, monkeypatch):
    name = f"@digitocr-{tmp_path.name}-{tmp_path.parent.name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name[1:]}" if abstract else name)
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        Heartbeat(1, lambda: None).beat()
        assert systemd.recv(100) == b"WATCHDOG=1"


def test_without_systemd_nothing_happens(tmp_path, monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    notify("READY=1")


def test_the_wall_clock_is_in_utc():
    assert datetime.fromisoformat(wall_clock()).utcoffset() == timedelta(0)
    assert len(wall_clock()) == len("2026-01-31T08:15:00.250+00:00")
