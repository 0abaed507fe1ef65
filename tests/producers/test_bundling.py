import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.bundling import Bundler, Envelopes, bundle_bytes, envelope_bytes
from schemas.envelope import Bundle, Envelope
from schemas.errors import UnavailableError
from schemas.events import EmailOpen


def envelope(number: int) -> Envelope:
    event = EmailOpen(event_id=f"e{number}", occurred_ms=number, contact_id="c1", campaign_id="k")
    return Envelope(site="www", visitor_id="v1", sent_ms=1, received_ms=2, occurred_ms=2, event=event)


class Recorder:
    """Takes bundles and acknowledges them when told; keeps the order of what happened."""

    def __init__(self, *, at_once: bool = True) -> None:
        self.at_once = at_once
        self.sent: list[tuple[int, bytes]] = []
        self.futures: list[asyncio.Future[tuple[int, int]]] = []

    def __call__(self, partition: int, bundle: bytes) -> asyncio.Future[tuple[int, int]]:
        future: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        self.sent.append((partition, bundle))
        self.futures.append(future)
        if self.at_once:
            future.set_result((partition, len(self.sent)))
        return future


def test_a_bundle_is_what_the_contract_says() -> None:
    envelopes = tuple(envelope(number) for number in range(3))
    assert bundle_bytes([envelope_bytes(each) for each in envelopes]) == Bundle(envelopes=envelopes).to_bytes()


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 7), st.booleans()), max_size=30),
    st.integers(1, 10),
    st.integers(1, 300),
)
def test_everything_arrives_once_in_its_partition_and_order_within_the_bounds(
    adds: list[tuple[int, int, bool]], max_envelopes: int, max_bytes: int
) -> None:
    recorder = Recorder()

    async def scenario() -> None:
        bundler = Bundler(recorder, 0.001, max_envelopes=max_envelopes, max_bytes=max_bytes)
        waiting = []
        for number, (partition, count, pause) in enumerate(adds):
            envelopes = [f"{number}.{index}".encode() for index in range(count)]
            waiting.append(asyncio.ensure_future(bundler.add(partition, Envelopes.of(envelopes))))
            if pause:
                await asyncio.sleep(0)
        await asyncio.gather(*waiting)

    asyncio.run(scenario())
    for partition in range(3):
        expected = [
            f"{number}.{index}"
            for number, (where, count, _) in enumerate(adds)
            if where == partition
            for index in range(count)
        ]
        bundles = [inner(bundle) for where, bundle in recorder.sent if where == partition]
        assert [each for bundle in bundles for each in bundle] == expected
        for bundle in bundles:
            one_report = len({each.partition(".")[0] for each in bundle}) == 1
            assert one_report or (len(bundle) <= max_envelopes and len(",".join(bundle)) <= max_bytes)


def inner(bundle: bytes) -> list[str]:
    return bundle.decode().removeprefix('{"v":1,"envelopes":[').removesuffix("]}").split(",")


def test_after_quiet_the_first_leaves_at_once_and_the_next_wait_for_the_interval() -> None:
    recorder = Recorder()

    async def scenario() -> tuple[float, float]:
        bundler = Bundler(recorder, 0.2)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await bundler.add(0, Envelopes.of([b"1"]))
        first = loop.time() - began
        await asyncio.gather(*(bundler.add(0, Envelopes.of([str(number).encode()])) for number in range(2, 6)))
        return first, loop.time() - began

    first_s, second_s = asyncio.run(scenario())
    assert first_s < 0.15
    assert second_s >= 0.19
    assert [inner(bundle) for _, bundle in recorder.sent] == [["1"], ["2", "3", "4", "5"]]


def test_nobody_is_answered_before_kafka_has_acknowledged() -> None:
    recorder = Recorder(at_once=False)

    async def scenario() -> None:
        bundler = Bundler(recorder, 0)
        adding = asyncio.ensure_future(bundler.add(0, Envelopes.of([b"1"])))
        await asyncio.sleep(0.05)
        assert len(recorder.sent) == 1
        assert not adding.done()
        recorder.futures[0].set_result((0, 0))
        await adding

    asyncio.run(scenario())


def test_a_failure_reaches_all_of_its_bundle_and_no_other() -> None:
    recorder = Recorder(at_once=False)

    async def scenario() -> list[BaseException | None]:
        bundler = Bundler(recorder, 0)
        adding = [asyncio.ensure_future(bundler.add(partition, Envelopes.of([b"1"]))) for partition in (0, 0, 1)]
        await asyncio.sleep(0.05)
        recorder.futures[0].set_exception(UnavailableError("away"))
        recorder.futures[1].set_result((1, 0))
        return list(await asyncio.gather(*adding, return_exceptions=True))

    first, second, third = asyncio.run(scenario())
    assert isinstance(first, UnavailableError)
    assert isinstance(second, UnavailableError)
    assert third is None


def test_one_who_hangs_up_takes_nothing_away_from_the_others() -> None:
    recorder = Recorder(at_once=False)

    async def scenario() -> None:
        bundler = Bundler(recorder, 0)
        gone, stays = (asyncio.ensure_future(bundler.add(0, Envelopes.of([each]))) for each in (b"1", b"2"))
        await asyncio.sleep(0.05)
        gone.cancel()
        await asyncio.sleep(0)
        recorder.futures[0].set_result((0, 0))
        await stays
        with pytest.raises(asyncio.CancelledError):
            await gone

    asyncio.run(scenario())
    assert inner(recorder.sent[0][1]) == ["1", "2"]


def test_draining_sends_what_waits_and_waits_for_what_was_sent() -> None:
    recorder = Recorder(at_once=False)

    async def scenario() -> None:
        bundler = Bundler(recorder, 60)
        first = asyncio.ensure_future(bundler.add(0, Envelopes.of([b"1"])))
        await asyncio.sleep(0.02)
        second = asyncio.ensure_future(bundler.add(0, Envelopes.of([b"2"])))  # would wait a minute
        await asyncio.sleep(0.02)
        draining = asyncio.ensure_future(bundler.drain())
        await asyncio.sleep(0.02)
        assert len(recorder.sent) == 2
        assert not draining.done()
        for future in recorder.futures:
            future.set_result((0, 0))
        await asyncio.gather(draining, first, second)

    asyncio.run(scenario())


def test_what_waits_for_several_partitions_leaves_together() -> None:
    """So that one request can take it all; the first after a quiet interval has gone at once."""
    recorder = Recorder()

    async def scenario() -> None:
        bundler = Bundler(recorder, 0.02)
        await bundler.add(0, Envelopes.of([b"first"]))
        later = [bundler.add(partition, Envelopes.of([b"later"])) for partition in (2, 1)]
        assert [partition for partition, _ in recorder.sent] == [0]
        await later[0]
        assert [partition for partition, _ in recorder.sent] == [0, 2, 1]
        await later[1]

    asyncio.run(scenario())
