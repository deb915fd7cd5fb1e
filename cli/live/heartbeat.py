"""What a run that goes on for months tells of itself: the wall clock, heartbeats, and notifications to systemd."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic

HEARTBEAT_SCHEMA = "digitocr-heartbeat/1"  # of a heartbeat's line of JSON


def wall_clock() -> str:
    """The time in UTC, as ISO 8601 with milliseconds: 2026-01-31T08:15:00.250+00:00."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def notify(state: str) -> None:
    """Tells systemd the state of the service, as sd_notify(3) does; without systemd it does nothing.

    Args:
        state: READY=1 once the service works, WATCHDOG=1 while it does.
    """
    name = os.environ.get("NOTIFY_SOCKET", "")
    if not name:
        return
    address = f"\0{name[1:]}" if name.startswith("@") else name  # a name without a file
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.sendto(state.encode(), address)


class Heartbeat:
    """Calls a function at once and then every so many seconds, for as long as the loop that it is part of turns."""

    def __init__(self, seconds: float, tell: Callable[[], None]) -> None:
        """Notes what to call.

        Args:
            seconds: From one heartbeat to the next; 0 for none.
            tell: Says that the run lives.
        """
        self._seconds, self._tell = seconds, tell
        self._next = monotonic() if seconds else float("inf")

    def beat(self) -> None:
        """Makes the heartbeat if it is due. The loop calls this each time it turns."""
        if monotonic() < self._next:
            return
        self._next = monotonic() + self._seconds
        self._tell()
        notify("WATCHDOG=1")
