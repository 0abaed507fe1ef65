"""A delivery for machines: what was told to whom, with names, as plain JSON values."""

from typing import Any

from schemas.delivery import Delivery
from schemas.directory import Directory
from sinks.delivery.layout import document_of
from sinks.delivery.outside_text import one_line, web_address
from sinks.delivery.phrases import phrases_for
from sinks.delivery.speaker import account_name


def summary(delivery: Delivery, directory: Directory) -> dict[str, Any]:
    """Return what a delivery says; of a digest, account, trigger and temperature are those of its newest brief.

    Times are whole active seconds, depths percent; `url` is None where it is no web address.
    """
    newest = delivery.newest
    message = document_of(delivery, directory)
    rep = directory.reps.get(delivery.rep_id)
    return {
        "account": account_name(newest.account_id, directory, phrases_for(newest.language)),
        "rep": one_line(rep.name) if rep else "",
        "channel": str(delivery.channel),
        "language": message.language,
        "headline": message.headline,
        "reads": [
            {
                "title": one_line(read.title),
                "url": web_address(read.url),
                "active_s": read.active_s,
                "depth_pct": read.depth_pct,
                "section": one_line(read.section),
            }
            for brief in delivery.briefs
            for read in brief.reads
        ],
        "trigger": str(newest.trigger.kind),
        "brief_ids": [brief.brief_id for brief in delivery.briefs],
        "temperature": str(newest.interest.temperature),
    }
