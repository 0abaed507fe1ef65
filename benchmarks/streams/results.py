"""Follows the topic where a pipeline tells its totals, until each account's last word is what the batch computed."""

import uuid
from collections.abc import Callable, Mapping

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from benchmarks.streams.loading import PARTITIONS
from benchmarks.streams.oracle import Totals, differences, digest

AT_ONCE = 10_000
WAIT_S = 0.1
WAIT_FOR_TOPICS_S = 30.0

Decode = Callable[[bytes, bytes], tuple[str, Totals]]


class Results:
    """The last word on each account so far. Used from one thread."""

    def __init__(self, bootstrap: str, topic: str, decode: Decode, expected: Mapping[str, Totals]) -> None:
        """Follow a topic, which may not be there yet, from its beginning."""
        self._decode = decode
        self._expected = expected
        self._last: dict[bytes, bytes] = {}
        self._messages = 0
        self._compared = -1
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "log_level": 2,  # a broker that stops in the end is no news
                "group.id": f"results-{uuid.uuid4().hex}",
                "enable.auto.commit": False,
            }
        )
        self._topic = topic
        self._following = False

    def complete(self) -> bool:
        """Read what has come, and tell whether all accounts are as expected."""
        if not self._following and not self._follow():
            return False
        while messages := self._consumer.consume(AT_ONCE, WAIT_S):
            for message in messages:
                if error := message.error():
                    raise KafkaException(error)
                key, value = message.key(), message.value()
                if key is not None and value is not None:
                    self._last[key] = value
                    self._messages += 1
        if self._messages == self._compared:
            return False
        self._compared = self._messages
        return not self.wrong()

    def _follow(self) -> bool:
        """Begin as soon as the topic is there with all its partitions: some peers make it."""
        topic = self._consumer.list_topics(timeout=WAIT_FOR_TOPICS_S).topics.get(self._topic)
        led = [number for number, each in topic.partitions.items() if each.leader >= 0] if topic else []
        if len(led) == PARTITIONS:
            self._consumer.assign([TopicPartition(self._topic, number, OFFSET_BEGINNING) for number in led])
            self._following = True
        return self._following

    def totals(self) -> dict[str, Totals]:
        """Return the totals by account as last told; who was told to have read nothing counts as not told of."""
        told = dict(self._decode(key, value) for key, value in self._last.items())
        return {account: totals for account, totals in told.items() if totals["reads"]}

    def wrong(self) -> list[str]:
        """Return the accounts that are not yet as expected."""
        return differences(self.totals(), self._expected)

    def complaint(self) -> str:
        """Say how many accounts are wrong, and how one of them is."""
        found, wrong = self.totals(), self.wrong()
        first = wrong[0] if wrong else ""
        return (
            f"{len(wrong)} of {len(self._expected)} accounts are not as expected, such as {first!r}: "
            f"told {found.get(first)}, expected {self._expected.get(first)}"
        )

    def summary(self) -> str:
        """Return digest and number of messages that told the totals."""
        totals = self.totals()
        return f"{digest(totals)} of {len(totals)} accounts in {self._messages} messages"

    def close(self) -> None:
        """Stop following."""
        self._consumer.close()
