"""The job in Quix Streams: a streaming dataframe, grouped anew by account, with its state in RocksDB."""

from typing import Any

from quixstreams import Application, State

from benchmarks.streams.job import Job, announce_ready, told


def build(job: Job) -> Application:
    """Return the application, with its pipeline laid out."""
    contacts, contents = job.read_tables()
    app = Application(
        broker_address=job.bootstrap,
        consumer_group=job.name,
        auto_offset_reset="earliest",
        state_dir=job.state_dir,
        producer_extra_config={"compression.type": job.compression, "linger.ms": 20},
        loglevel="WARNING",
    )

    def resolve(envelope: dict[str, Any], state: State) -> dict[str, Any] | None:
        event = envelope["event"]
        if event["type"] == "identify":
            state.set("account", contacts[event["contact_id"]])
        elif event["type"] == "page_progress" and (account := state.get("account")):
            return {
                "account": account,
                "page_view_id": event["page_view_id"],
                "url": event["url"],
                "active_ms": event["active_ms"],
            }
        return None

    def summarise(progress: dict[str, Any], state: State) -> dict[str, Any] | None:
        page_view_id, active_ms = progress["page_view_id"], progress["active_ms"]
        before = state.get(page_view_id, 0)
        if active_ms <= before:
            return None
        state.set(page_view_id, active_ms)
        totals = state.get("totals") or {"active_ms": 0, "reads": 0, "topics": {}}
        gained = active_ms - before
        totals["active_ms"] += gained
        totals["reads"] += before == 0
        for topic in contents.get(progress["url"], ()):
            totals["topics"][topic] = totals["topics"].get(topic, 0) + gained
        state.set("totals", totals)
        return dict(totals)

    known = app.dataframe(app.topic(job.events_topic, key_deserializer="str"))
    known = known.apply(resolve, stateful=True).filter(lambda progress: progress is not None)
    totals = known.group_by("account").apply(summarise, stateful=True).filter(lambda found: found is not None)
    totals.to_topic(app.topic(job.totals_topic, key_serializer="str"))
    return app


if __name__ == "__main__":
    application = build(told())
    announce_ready()
    application.run()
