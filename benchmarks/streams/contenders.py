"""The peers: how each is started, where it tells its totals, and how many events it is given."""

import json
import os
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.streams.job import Job
from benchmarks.streams.loading import COMPRESSION, PARTITIONS, Broker, Loaded
from benchmarks.streams.measuring import Cost, PeerFailedError, measure
from benchmarks.streams.oracle import Totals
from benchmarks.streams.peer_installs import java_classpath, peers_python, versions
from benchmarks.streams.results import Decode, Results

TIMEOUT_S = 900.0
_PEERS = "benchmarks.streams.peers"
_JAVA_OPTIONS = ("-Xms512m", "-Xmx2g", "-XX:+UseSerialGC")  # less CPU than the parallel collectors, on two cores


@dataclass(frozen=True)
class Peer:
    """One way to do the job; where it is slow, it is given a share of the events only, as its rate is stable."""

    key: str
    title: str
    detail: str
    command: Callable[[Job], list[str]]
    totals_topic: Callable[[Job], str]
    decode: Decode
    share_known: float = 1.0
    share_all: float = 1.0
    topics_between: tuple[str, ...] = ()


def run_peer(peer: Peer, broker: Broker, loaded: Loaded, directory: Path) -> tuple[Cost, str]:
    """Have a peer do its job on a loaded workload; returns what it cost and a summary of what it told.

    Raises:
        PeerFailedError: it failed, or its totals never became those of the batch computation.
    """
    # A name of its own each time: a peer goes on where one of the same name has stopped.
    name = f"bench-{peer.key}-{loaded.topic}-{uuid.uuid4().hex[:6]}"
    state = directory / name
    job = Job(
        broker.bootstrap, loaded.topic, f"{name}-totals", str(loaded.tables), str(state), name, COMPRESSION, PARTITIONS
    )
    broker.create(job.totals_topic, *(f"{name}-{between}" for between in peer.topics_between))
    results = Results(broker.bootstrap, peer.totals_topic(job), peer.decode, loaded.expected)
    try:
        cost = measure(peer.command(job), directory / f"{name}.log", results.complete, TIMEOUT_S)
        return cost, results.summary()
    except PeerFailedError as error:
        raise PeerFailedError(f"{results.complaint()}; {error}") from error
    finally:
        results.close()
        broker.delete(topic for topic in broker.topics() if name in topic)


def peers() -> list[Peer]:
    """Return all peers, with what they need installed.

    Raises:
        PeersUnavailableError: something they need can't be had.
    """
    installed, classpath = peers_python(), java_classpath()
    python, version = str(installed), versions(installed)
    return [
        Peer(
            "faust",
            f"(b) Faust {version['faust']}, plain",
            "one event a message, in-memory tables, uvloop",
            lambda job: [sys.executable, "-m", f"{_PEERS}.plain_faust", job.to_json()],
            lambda job: f"{job.name}-totals-changelog",
            lambda key, value: (json.loads(key), json.loads(value)),
            share_known=0.2,
            share_all=0.05,
            topics_between=("known",),  # Faust never sees a topic that it asked for too early
        ),
        Peer(
            "quix",
            f"(c) Quix Streams {version['quix']}",
            "state in RocksDB, grouped anew by account",
            lambda job: [python, "-m", f"{_PEERS}.quix_streams", job.to_json()],
            lambda job: job.totals_topic,
            _plain,
            share_all=0.2,
        ),
        Peer(
            "bytewax",
            f"(d) bytewax {version['bytewax']}",
            "one worker, snapshots to SQLite",
            lambda job: [python, "-m", f"{_PEERS}.bytewax_flow", job.to_json()],
            lambda job: job.totals_topic,
            _plain,
            share_all=0.2,
        ),
        Peer(
            "bytewax-volatile",
            f"(d') bytewax {version['bytewax']}, without recovery",
            "keeps no state over a restart",
            lambda job: [python, "-m", f"{_PEERS}.bytewax_flow", job.to_json(), "--without-recovery"],
            lambda job: job.totals_topic,
            _plain,
            share_known=0.2,
            share_all=0.2,
        ),
        Peer(
            "kafka-streams",
            f"(e) Kafka Streams {version['java']}",
            "Java, in-memory stores with cache and changelog",
            lambda job: ["java", *_JAVA_OPTIONS, *_QUIET, "-cp", classpath, "StreamsPeer", job.to_json()],
            lambda job: job.totals_topic,
            _plain,
        ),
    ]


_QUIET = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", f"-Djava.io.tmpdir={os.environ.get('TMPDIR', '/tmp')}")  # noqa: S108


def _plain(key: bytes, value: bytes) -> tuple[str, Totals]:
    return key.decode(), json.loads(value)
