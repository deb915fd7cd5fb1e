"""Reading from a connection with a deadline for all of it: a drip of bytes holds a thread no longer than silence."""

import io
import socket
from time import monotonic


class _Reader(io.RawIOBase):
    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._end = monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # of the narrower type that it gets
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long")
        before = self._connection.gettimeout()
        self._connection.settimeout(left)
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(before)


def reader(connection: socket.socket, seconds: float) -> io.BufferedIOBase:
    """A file to read a request from, all of which must come within that many seconds. It raises TimeoutError."""
    return io.BufferedReader(_Reader(connection, seconds))
