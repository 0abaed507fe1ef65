"""Follows the playbook's file while the system runs: a good new version is used, a bad one leaves the last good one."""

from pathlib import Path

import structlog
from prometheus_client import Gauge

from schemas.errors import InputError
from schemas.ids import derived_id
from schemas.playbook import Playbook, read_playbook

log = structlog.get_logger()

FAULTS = Gauge(
    "readbrief_playbook_faults",
    "1 for each place, file:line:column, at which the playbook's file is refused; the last good one is in use",
    ("place",),
)
MAX_FAULTS_LOGGED = 20

_Stamp = tuple[int, int, int]


class PlaybookWatch:
    """One playbook file, and the last good version of it."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            InputError: the file can't be read or is wrong; the message has one line per fault, with file and line.
        """
        self._path = path
        self._stamp = _stamp(path)
        data = _bytes(path)
        self._version = _version(data)
        playbook, faults = read_playbook(str(path), data)
        if playbook is None:
            raise InputError("\n".join(map(str, faults)))
        self.playbook = playbook

    def renewed(self) -> Playbook | None:
        """Return the playbook if the file now holds another good one; what is wrong with a bad one is logged, once."""
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return None
        try:
            data = _bytes(self._path)
        except InputError as error:
            self._stamp = stamp
            self._refuse([str(error)], [str(self._path)])
            return None
        if _stamp(self._path) != stamp:
            return None  # it is being written: look again
        self._stamp = stamp
        playbook, faults = read_playbook(str(self._path), data)
        if playbook is None:
            told = faults[:MAX_FAULTS_LOGGED]
            self._refuse([str(fault) for fault in told], [fault.place for fault in told])
            return None
        FAULTS.clear()
        self._version = _version(data)
        if playbook == self.playbook:
            return None
        self.playbook = playbook
        log.info("playbook_renewed", file=str(self._path), in_use=self._version)
        return playbook

    def current(self) -> Playbook:
        """Return the last good version."""
        self.renewed()
        return self.playbook

    def _refuse(self, faults: list[str], places: list[str]) -> None:
        FAULTS.clear()
        for place in places:
            FAULTS.labels(place).set(1)
        log.error("playbook_refused", faults=faults, in_use=self._version)


def _stamp(path: Path) -> _Stamp | None:
    """Return what changes with a file: an editor may write in place or put another file there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: can't read the playbook ({error.strerror}); set READBRIEF_PLAYBOOK to its file"
        ) from error


def _version(data: bytes) -> str:
    return derived_id("playbook", data.hex())
