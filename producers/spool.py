"""The spool: what Kafka can't take now waits on the disk, in the order it came. Many writers share one fsync."""

import fcntl
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import structlog

from producers.spool_records import MAX_RECORD_BYTES, SpoolRecord, encode
from producers.spool_segment import SUFFIX, Segment, adopt_segments, begin_segment
from schemas.errors import InputError, UnavailableError

MIN_MAX_BYTES = 8 * 2**20

_LARGEST_SEGMENT_BYTES = 16 * 2**20
_SEGMENTS = 8  # at least so many fit, so that finished ones make room early
_GROUP_BYTES = 2**20
_WAITING_BYTES = 32 * 2**20

_log = structlog.get_logger()


class SpoolFullError(UnavailableError):
    """The spool has no room, or its disk has none."""


class Taken(NamedTuple):
    """The next records of the spool, and what `forget` needs to know of them."""

    records: tuple[SpoolRecord, ...]
    segment: Segment | None
    until: int


class Spool:
    """Keeps records in a directory shared by the workers of one machine; safe to use from several threads.

    The directory holds no more than `max_bytes`, counted by whole segments. Files of dead workers are adopted.
    """

    def __init__(self, directory: Path, max_bytes: int) -> None:
        """Open the directory, making it if it is missing, and adopt what dead workers left.

        Raises:
            InputError: it can't be used, or the bound is below 8 MiB.
        """
        if max_bytes < MIN_MAX_BYTES:
            raise InputError(f"a spool needs at least {MIN_MAX_BYTES} bytes")
        self._directory = directory
        self._segment_bytes = min(_LARGEST_SEGMENT_BYTES, max_bytes // _SEGMENTS)
        self._max_segments = max_bytes // self._segment_bytes
        self._lock = threading.Lock()
        self._segments: list[Segment] = []
        self._writing: Segment | None = None  # must not be deleted under the writer's hands
        self._waiting_bytes = 0
        self._full = False
        self._closed = False
        self._queue: queue.SimpleQueue[tuple[bytes, Future[None]] | None] = queue.SimpleQueue()
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.adopt()
        except OSError as error:
            raise InputError(f"READBRIEF_SPOOL_DIR: {directory} can't be used ({error.strerror})") from error
        self._thread = threading.Thread(target=self._work, name="spool-writer", daemon=True)
        self._thread.start()

    def append(self, record: SpoolRecord) -> "Future[None]":
        """Hand over a record; the future is done once it is on the disk, or fails with SpoolFullError."""
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()
        data = encode(record)
        with self._lock:
            if len(data) > MAX_RECORD_BYTES:
                future.set_exception(InputError(f"{len(data)} bytes are too large for the spool"))
            elif self._closed or self._waiting_bytes + len(data) > _WAITING_BYTES:
                future.set_exception(SpoolFullError("the spool is closed, or its disk too slow"))
            else:
                self._waiting_bytes += len(data)
                self._queue.put((data, future))
        return future

    def take(self, max_records: int) -> Taken:
        """Return the oldest records that wait, from one segment; they stay until they are forgotten."""
        with self._lock:
            while segment := next((each for each in self._segments if each.left), None):
                records, until, damaged = segment.read(max_records)
                if damaged:
                    _log.error("spool_damaged", file=segment.path.name, bytes=damaged)
                if records:
                    return Taken(records, segment, until)
                segment.taken = until
                self._drop_finished()
            return Taken((), None, 0)

    def forget(self, taken: Taken) -> None:
        """Let go of records that are in Kafka: a segment of which all are is deleted."""
        with self._lock:
            if taken.segment is not None:
                taken.segment.taken = taken.until
            self._drop_finished()

    def adopt(self) -> int:
        """Take over the files of workers that are dead, and return how many bytes came in."""
        with self._lock:
            adopted = adopt_segments(self._directory, {each.path for each in self._segments})
            self._segments = sorted([*self._segments, *adopted], key=lambda each: each.path)
            found = sum(each.left for each in adopted)
            self._drop_finished()
        if found:
            _log.info("spool_adopted", files=len(adopted), bytes=found)
        return found

    @property
    def backlog_bytes(self) -> int:
        """How many bytes wait, on the disk or on their way to it."""
        with self._lock:
            return self._waiting_bytes + sum(each.left for each in self._segments)

    def accepts(self) -> bool:
        """Say whether the last record found room."""
        return not self._full

    def close(self) -> None:
        """Return once everything handed over is on the disk, or has failed; another worker may then adopt it."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        for segment in self._segments:
            segment.release()

    def _work(self) -> None:
        open_for_more = True
        while open_for_more:
            group = []
            size = 0
            order = self._queue.get()
            while order is not None:
                group.append(order)
                size += len(order[0])
                if size >= _GROUP_BYTES:
                    break
                try:
                    order = self._queue.get_nowait()
                except queue.Empty:
                    break
            open_for_more = order is not None
            if group:
                self._write(b"".join(data for data, _ in group), [future for _, future in group])

    def _write(self, data: bytes, futures: list["Future[None]"]) -> None:
        problem: SpoolFullError | None = None
        try:
            segment = self._room_for(len(data))
            segment.append(data)
        except SpoolFullError as error:
            problem = error
        except OSError as error:
            problem = SpoolFullError(f"the spool in {self._directory} can't be written ({error.strerror})")
        with self._lock:
            self._writing = None
            self._waiting_bytes -= len(data)
            if problem is not None and not self._full:
                _log.error("spool_full", problem=str(problem))
            self._full = problem is not None
        for future in futures:
            if problem is None:
                future.set_result(None)
            else:
                future.set_exception(problem)

    def _room_for(self, size: int) -> Segment:
        """Return the segment that so many bytes go to: the last one, also an adopted one, as long as they fit."""
        with self._lock:
            last = self._segments[-1] if self._segments else None
            if last is None or last.sealed or last.size + size > self._segment_bytes:
                with self._directory_lock():
                    if len(list(self._directory.glob(f"*{SUFFIX}"))) >= self._max_segments:
                        raise SpoolFullError(f"the spool in {self._directory} is full: raise READBRIEF_SPOOL_MAX_MB")
                    last = begin_segment(self._directory)
                self._segments.append(last)
            self._writing = last
            return last

    def _drop_finished(self) -> None:
        for segment in [each for each in self._segments if not each.left and each is not self._writing]:
            segment.remove()
            self._segments.remove(segment)
            self._full = False

    @contextmanager
    def _directory_lock(self) -> Iterator[None]:
        """Let one worker at a time begin a segment, so that together they stay within the bound."""
        with (self._directory / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
