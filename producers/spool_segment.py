"""One file of the spool: appended by one worker, which holds its lock as long as it lives."""

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

from producers.spool_records import MAX_RECORD_BYTES, SpoolRecord, scan

SUFFIX = ".spool"

_WINDOW_BYTES = 2 * MAX_RECORD_BYTES + 100  # holds at least one whole record, wherever it begins


@dataclass(eq=False)
class Segment:
    """An open, locked file: `size` bytes are on the disk for good, of which `taken` have reached Kafka.

    A sealed one is not trusted with more: the disk failed to take something, and may not say so twice.
    """

    path: Path
    fd: int
    size: int
    taken: int = 0
    sealed: bool = False

    @property
    def left(self) -> int:
        """How many bytes wait."""
        return self.size - self.taken

    def append(self, data: bytes) -> None:
        """Write records behind the others, and return once they are on the disk.

        Raises:
            OSError: they are not; what was written of them is cut off again, if that is possible.
        """
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(self.fd, data[written:], self.size + written)
            os.fdatasync(self.fd)
        except OSError:
            self.sealed = True
            os.ftruncate(self.fd, self.size)
            raise
        self.size += len(data)

    def read(self, max_records: int) -> tuple[tuple[SpoolRecord, ...], int, int]:
        """Return the next records that wait, the offset behind them, and how many damaged bytes lie before it."""
        window = os.pread(self.fd, min(self.left, _WINDOW_BYTES), self.taken)
        found = scan(window, max_records)
        if found.records:
            return found.records, self.taken + found.consumed, found.damaged
        if len(window) == self.left:
            return (), self.size, len(window)
        skipped = len(window) - MAX_RECORD_BYTES  # a whole record may begin in the rest
        return (), self.taken + skipped, skipped

    def remove(self) -> None:
        """Delete the file, and let go of it."""
        self.path.unlink(missing_ok=True)
        os.close(self.fd)

    def release(self) -> None:
        """Let go of the file, so that another worker may adopt it; an empty one is deleted."""
        if self.left:
            os.close(self.fd)
        else:
            self.remove()


def begin_segment(directory: Path) -> Segment:
    """Make a file whose name sorts behind those that are there, and lock it."""
    while True:
        path = directory / f"{time.time_ns():020d}-{os.getpid()}{SUFFIX}"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        if _locked(fd, path):
            _sync_directory(directory)
            return Segment(path, fd, 0)
        os.close(fd)  # another worker was quicker, and took it for an orphan


def adopt_segments(directory: Path, own: set[Path]) -> list[Segment]:
    """Lock the files whose workers are dead, the oldest first."""
    adopted = []
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        if path in own:
            continue
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue  # its owner has just finished with it
        if _locked(fd, path):
            adopted.append(Segment(path, fd, os.fstat(fd).st_size))
        else:
            os.close(fd)
    return adopted


def _locked(fd: int, path: Path) -> bool:
    """Lock a file that is open already, and see that its name still stands for it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(fd), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
