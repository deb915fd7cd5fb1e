"""A command of digitocr in a process of its own that something happens to: it is killed, or what it writes to breaks.

    attempt = Attempt(["train", "--out", "run"], folder)
    attempt.wait(kill_after=1.5)
    attempt.code, attempt.wrong          # -9, []

The process is a fork of this one, which has loaded the libraries: what happens to it falls into its work, not into
seconds of imports. It counts the moments at which something under `folder` is opened to be written, renamed or removed,
and at one of them a fault can begin. It also notes what no kill should have to find: a file that gets its name without
having been synced, and one that is opened for writing under its final name.
"""

import atexit
import ctypes
import os
import pickle
import random
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import Any

Fault = Callable[[Path], None]  # what happens at a moment of writing; gets the folder

KILLED = -signal.SIGKILL
END_SECONDS = 600  # after which a process counts as one that never ends
ORPHAN_SECONDS = 60  # in which the processes of a killed one end as well, on a machine with much other work
APPENDED = ("journal.log", "out.jsonl", "labels.jsonl", "lock")  # files of lines, whole at every line, and locks
FILLER = ".filler.part"  # what takes the room of a disk
CAPABILITY_VERSION, CAP_DAC_OVERRIDE = 0x20080522, 1  # of Linux
DAMAGED = ".damaged"  # in the name of a recording that could not be finished
PARTS = (".part", ".notes", ".lock")


class Attempt:
    """A run of the command line.

    Attributes:
        code: The exit code, or the signal that ended it as a negative number.
        moments: How often something was written, renamed or removed.
        wrong: What no run may do, in words.
    """

    def __init__(self, words: Sequence[str], folder: Path, at: int = 0, fault: Fault | None = None) -> None:
        """Starts the command.

        Args:
            words: Of the command line, without `digitocr`.
            folder: Where it works; what it writes there is watched.
            at: The number of the moment of writing at which the fault begins, from 1; 0 for the beginning.
            fault: What happens then, in the process itself.
        """
        self.code, self.moments, self.wrong = 0, 0, list[str]()
        pipes = [os.pipe() for _ in range(3)]  # not files, which a fault would meet as well
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            _run(words, folder, [theirs for _, theirs in pipes], at, fault)
        self._said = {ours: b"" for ours, _ in pipes}
        self._out, self._err, self._watched = self._said
        for ours, theirs in pipes:
            os.close(theirs)
            os.set_blocking(ours, False)

    @property
    def err(self) -> str:
        """What it has said on standard error so far."""
        return self._said[self._err].decode("utf-8", "replace")

    def is_running(self) -> bool:
        """Whether it has not ended; takes what it has said, and its exit code if it has ended."""
        if self.pid:
            self._listen()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._ended(os.waitstatus_to_exitcode(status))
        return bool(self.pid)

    def kill(self) -> None:
        """Kills it, if it still runs."""
        if self.is_running():
            os.kill(self.pid, signal.SIGKILL)
            self._ended(os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]))

    def wait(self, kill_after: float = END_SECONDS) -> "Attempt":
        """Waits for its end, and kills it after so many seconds."""
        end = time.monotonic() + kill_after
        while self.is_running() and time.monotonic() < end:
            time.sleep(0.002)
        if self.pid and kill_after == END_SECONDS:
            self.wrong.append("does not end")
        self.kill()
        return self

    def _listen(self) -> None:
        for pipe in self._said:
            with suppress(BlockingIOError):
                while content := os.read(pipe, 65_536):
                    self._said[pipe] += content

    def _ended(self, code: int) -> None:
        pid, self.pid, self.code = self.pid, 0, code
        self._listen()
        for pipe in self._said:
            os.close(pipe)
        lines = self._said[self._watched].decode().splitlines()
        self.moments = lines.count("moment")
        self.wrong += sorted({line for line in lines if line != "moment"})
        if not _is_alone(pid):
            self.wrong.append("leaves processes behind")


def _is_alone(group: int) -> bool:
    """Whether all processes that the group's leader has started have ended; ends those that have not."""
    end = time.monotonic() + ORPHAN_SECONDS
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    os.killpg(group, signal.SIGKILL)
    return False


def _run(words: Sequence[str], folder: Path, pipes: Sequence[int], at: int, fault: Fault | None) -> None:
    """What the process does; it does not return."""
    code = 70
    try:
        atexit._clear()  # what the other process has to do at its end
        os.setpgid(0, 0)
        os.chdir(folder)
        os.dup2(pipes[0], 1)
        os.dup2(pipes[1], 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.argv[1:] = words
        _watch(folder, pipes[2], at, fault)
        from digitocr.cli import main

        main.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        os._exit(code)


def _watch(folder: Path, notes: int, at: int, fault: Fault | None) -> None:
    """Notes the moments of writing, and lets the fault begin at one of them."""
    root, seen, synced, sync = f"{folder}{os.sep}", [0], set[tuple[int, int]](), os.fsync

    def fsync(descriptor: int) -> None:
        sync(descriptor)
        status = os.fstat(descriptor)
        synced.add((status.st_dev, status.st_ino))

    def hook(event: str, given: tuple[object, ...]) -> None:
        if event == "open":
            flags = given[2]
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
        elif event not in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.symlink"):
            return
        if not isinstance(given[0], str | bytes | os.PathLike):
            return
        path = Path(folder, os.fsdecode(given[0]))
        if not str(path).startswith(root):
            return
        if (
            event == "open"
            and not path.is_dir()
            and path.name not in APPENDED
            and not any(part in path.name for part in PARTS)
        ):
            os.write(notes, f"opens {path.name} to write under its final name\n".encode())
        if event == "os.rename" and DAMAGED not in str(given[1]):
            status = path.lstat()
            if S_ISREG(status.st_mode) and (status.st_dev, status.st_ino) not in synced:
                os.write(notes, f"renames to {Path(str(given[1])).name} without sync\n".encode())
        os.write(notes, b"moment\n")
        seen[0] += 1
        if seen[0] == at and fault:
            fault(folder)

    os.fsync = fsync
    sys.addaudithook(hook)
    if fault and not at:
        fault(folder)


def aside(function: Callable[[], Any]) -> Any:
    """What a function returns in a process of its own: threads of libraries that it starts are not forked later."""
    ours, theirs = os.pipe()
    sys.stdout.flush()
    if not (pid := os.fork()):
        code = 1
        try:
            os.close(ours)
            with os.fdopen(theirs, "wb") as pipe:
                pickle.dump(function(), pipe)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        content = pipe.read()
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError("what was done aside has failed")
    return pickle.loads(content)


def killed_soon(rng: random.Random) -> Fault:
    """A fault that kills the process at the moment, or up to 20 ms later."""
    delay = rng.choice([0.0, 0.0, rng.uniform(0, 0.02)])

    def kill(_: Path) -> None:
        if delay:
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()
        else:
            os.kill(os.getpid(), signal.SIGKILL)

    return kill


def disk_filled(rng: random.Random) -> Fault:
    """A fault that takes the room of the disk that the folder lies on, but for some bytes."""
    left = rng.choice([0, 0, rng.randrange(100_000)])

    def fill(folder: Path) -> None:
        room = os.statvfs(folder)
        size = room.f_bavail * room.f_bsize - left
        descriptor = os.open(folder / FILLER, os.O_WRONLY | os.O_CREAT, 0o666)
        if size > 0:
            os.posix_fallocate(descriptor, 0, size)
        os.close(descriptor)

    return fill


def files_limited(rng: random.Random) -> Fault:
    """A fault from which on no file becomes larger than so many bytes, as with a quota."""
    most = rng.choice([0, 0, 100, rng.randrange(100_000)])
    return lambda _: resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def memory_limited(rng: random.Random) -> Fault:
    """A fault from which on the process gets only so much more memory."""
    more = rng.choice([0, 0, rng.randrange(30_000_000)])

    def limit(_: Path) -> None:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more, resource.RLIM_INFINITY))

    return limit


def made_read_only(_: random.Random) -> Fault:
    """A fault from which on nothing can be made or removed in the folder and its subfolders."""

    def protect(folder: Path) -> None:
        for path in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
            path.chmod(0o555)
        if os.geteuid() == 0:
            _stopped_by_permissions()

    return protect


def _stopped_by_permissions() -> None:
    """Takes root's right to write whatever the permissions say, from this thread and those that it starts."""
    libc = ctypes.CDLL(None, use_errno=True)
    head = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice
    libc.capget(head, sets)
    sets[0] &= ~(1 << CAP_DAC_OVERRIDE)
    sets[1] &= ~(1 << CAP_DAC_OVERRIDE)
    if libc.capset(head, sets):
        raise OSError(ctypes.get_errno(), "capset")


def clock_jumping(_: random.Random) -> Fault:
    """A fault from which on the wall clock jumps by days each time it is asked; clock.c must be preloaded."""

    def jump(_: Path) -> None:
        ctypes.c_int.in_dll(ctypes.CDLL(None), "clock_jumps").value = 1

    return jump


FAULTS: dict[str, Callable[[random.Random], Fault]] = {
    "full disk": disk_filled,
    "file size limit": files_limited,
    "read-only folder": made_read_only,
    "memory limit": memory_limited,
    "clock that jumps": clock_jumping,
}
