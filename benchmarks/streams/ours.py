"""This pipeline's part: `readbrief run streams` as in production, fed as the collector feeds it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.streams.loading import PARTITIONS, Broker, Loaded, load_bundles, load_directory
from benchmarks.streams.measuring import Cost, Measured, PeerFailedError, measure
from benchmarks.streams.oracle import Totals
from benchmarks.streams.results import Decode, Results
from benchmarks.streams.workload import contents
from readbrief.broker_topics import create_topics
from readbrief.workers import as_environment
from schemas.settings import Settings
from schemas.topics import ACTIVITY, DEAD_LETTERS, EVENTS, INTEREST, TOPICS

TIMEOUT_S = 900.0
_COMMAND = (sys.executable, "-m", "readbrief", "run", "streams")
_OWN_TOPICS = "readbrief"  # how the names of what stream frameworks add begin


class Pipeline:
    """The stream worker on one Kafka, with nothing left of an earlier run."""

    def __init__(self, broker: Broker, directory: Path) -> None:
        """Remove all of the pipeline's topics and groups, and make its topics anew."""
        playbook = directory / "playbook.yaml"
        playbook.write_text("company: Benchmark\n")
        self._broker = broker
        self._settings = Settings(
            kafka_bootstrap=broker.bootstrap,
            kafka_partitions=PARTITIONS,
            kafka_rebalance_timeout_s=3,
            playbook=playbook,
            secret="a secret for benchmarks",  # noqa: S106 - it guards nothing
            log_level="warning",
        )
        stale = {topic.name for topic in TOPICS} | {name for name in broker.topics() if name.startswith(_OWN_TOPICS)}
        broker.delete(stale)
        broker.delete_groups()
        create_topics(self._settings)

    def start(self, log: Path) -> Measured:
        """Start a worker and wait until it is ready."""
        return Measured(_COMMAND, log, as_environment(self._settings))

    def run(self, log: Path, done: Callable[[], bool]) -> Cost:
        """Run a worker until its work is done."""
        return measure(_COMMAND, log, done, TIMEOUT_S, as_environment(self._settings))

    def caught_up(self) -> bool:
        """Tell whether everything on `events` and `activity` is worked through and committed."""
        return all(self._broker.committed(topic.name) >= self._broker.end(topic.name) for topic in (EVENTS, ACTIVITY))

    def require_sound(self) -> None:
        """See that nothing was left over or buried.

        Raises:
            PeerFailedError: something was.
        """
        if dead := self._broker.end(DEAD_LETTERS.name):
            raise PeerFailedError(f"{dead} messages became dead letters")
        if not self.caught_up():
            raise PeerFailedError("it told all totals, but did not commit to the end of its input")


def run_ours(broker: Broker, loaded: Loaded, per_bundle: int, directory: Path) -> tuple[Cost, str]:
    """Have this pipeline do the job on the same events, so many in a bundle; returns its cost and what it told.

    Raises:
        PeerFailedError: it failed, or its totals never became those of the batch computation.
    """
    pipeline = Pipeline(broker, directory)
    load_directory(broker, loaded.load.contacts)
    load_bundles(broker, loaded.load, loaded.events, per_bundle)
    results = Results(broker.bootstrap, INTEREST.name, totals_in_interest(contents()), loaded.expected)
    try:
        cost = pipeline.run(directory / f"readbrief-{loaded.topic}-{per_bundle}.log", results.complete)
        pipeline.require_sound()
        return cost, results.summary()
    except PeerFailedError as error:
        raise PeerFailedError(f"{results.complaint()}; {error}") from error
    finally:
        results.close()


def totals_in_interest(topics: dict[str, list[str]]) -> Decode:
    """Return how to read totals out of an interest summary, whose own topic weights are decayed."""

    def decode(_: bytes, value: bytes) -> tuple[str, Totals]:
        interest = json.loads(value)
        totals = Totals(active_ms=0, reads=0, topics={})
        for content in interest["contents"]:
            totals["active_ms"] += content["active_ms"]
            totals["reads"] += content["reads"]
            for topic in topics.get(content["url"], ()):
                totals["topics"][topic] = totals["topics"].get(topic, 0) + content["active_ms"]
        return interest["account_id"], totals

    return decode
