"""The job in plain Faust: one event a message, agents joined by a topic, in-memory tables, a write for each change.

The totals are read from the table's changelog, so Faust is spared writing them a second time.
"""

import logging
from typing import Any

import mode.loop

mode.loop.use("uvloop")

import faust  # noqa: E402 - Faust binds the event loop that is chosen by then

from benchmarks.streams.job import Job, announce_ready, told  # noqa: E402


def build(job: Job) -> Any:
    """Return the Faust app."""
    contacts, contents = job.read_tables()
    app = faust.App(
        job.name,
        broker=f"kafka://{job.bootstrap}",
        store="memory://",
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_partitions=job.partitions,
        topic_replication_factor=1,
        broker_session_timeout=30,
        broker_rebalance_timeout=3,
        consumer_auto_offset_reset="earliest",
        producer_compression_type=job.compression,
        stream_wait_empty=False,
    )
    keyed: dict[str, Any] = {"key_type": str, "key_serializer": "raw", "value_serializer": "json"}
    events = app.topic(job.events_topic, **keyed)
    known = app.topic(f"{job.name}-known", **keyed)
    visitors = app.Table("visitors", partitions=job.partitions)
    reads = app.Table("reads", partitions=job.partitions)
    totals = app.Table("totals", partitions=job.partitions)

    @app.agent(events)  # type: ignore[untyped-decorator]
    async def resolve(stream: Any) -> None:
        async for envelope in stream:
            event = envelope["event"]
            if event["type"] == "identify":
                visitors[envelope["visitor_id"]] = contacts[event["contact_id"]]
            elif event["type"] == "page_progress" and (account := visitors.get(envelope["visitor_id"])):
                progress = {
                    "account": account,
                    "page_view_id": event["page_view_id"],
                    "url": event["url"],
                    "active_ms": event["active_ms"],
                }
                await known.send(key=account, value=progress)

    @app.agent(known)  # type: ignore[untyped-decorator]
    async def summarise(stream: Any) -> None:
        async for progress in stream:
            page_view_id, active_ms = progress["page_view_id"], progress["active_ms"]
            before = reads.get(page_view_id, 0)
            if active_ms <= before:
                continue
            reads[page_view_id] = active_ms
            now = totals.get(progress["account"]) or {"active_ms": 0, "reads": 0, "topics": {}}
            gained = active_ms - before
            topics = dict(now["topics"])
            for topic in contents.get(progress["url"], ()):
                topics[topic] = topics.get(topic, 0) + gained
            totals[progress["account"]] = {
                "active_ms": now["active_ms"] + gained,
                "reads": now["reads"] + (before == 0),
                "topics": topics,
            }

    @app.task  # type: ignore[untyped-decorator]
    async def ready() -> None:
        announce_ready()

    return app


if __name__ == "__main__":
    logging.disable(logging.INFO)  # Faust builds its debug records even if nobody reads them
    faust.Worker(build(told()), loglevel="WARN", redirect_stdouts=False, quiet=True).execute_from_commandline()
