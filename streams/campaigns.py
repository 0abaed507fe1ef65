"""Which campaign brought a reader? What counts is a human seen on the page: scanners click, but do not read."""

from collections.abc import Iterable

from schemas.activity import ActivityItem
from schemas.events import EmailClick, Identify
from schemas.message import Id, Model, UnixMs
from schemas.playbook import TriggerRules
from schemas.reads import Read

MAX_KEPT = 50


class CampaignClick(Model):
    """Somebody followed a campaign's link: a visitor who landed by it, or a contact whom another system saw click."""

    event_id: Id
    campaign_id: Id
    visitor_id: Id
    contact_id: Id
    landed: bool
    at_ms: UnixMs

    def is_of(self, read: Read) -> bool:
        """Tell whether the one who clicked is the one who read."""
        return read.visitor_id == self.visitor_id if self.landed else read.contact_id == self.contact_id


def with_clicks(known: dict[str, CampaignClick], items: Iterable[ActivityItem]) -> dict[str, CampaignClick]:
    """Return the campaign clicks known after some events: a union of which the newest are kept, in any order."""
    new = {click.event_id: click for click in _clicks_of(items)}
    if not new:
        return known
    clicks = {**known, **new}
    if len(clicks) > MAX_KEPT:
        newest = sorted(clicks.values(), key=lambda click: (-click.at_ms, click.event_id))[:MAX_KEPT]
        clicks = {click.event_id: click for click in newest}
    return {event_id: clicks[event_id] for event_id in sorted(clicks)}


def campaign_of(read: Read, clicks: Iterable[CampaignClick], rules: TriggerRules) -> str:
    """Return the campaign that brought a read which a human has confirmed by reading; empty if none did."""
    if read.active_ms < rules.campaign_active_s * 1000:
        return ""
    window_ms = rules.campaign_window_s * 1000
    near = [click for click in clicks if click.is_of(read) and abs(read.started_ms - click.at_ms) <= window_ms]
    first = min(near, key=lambda click: (abs(read.started_ms - click.at_ms), click.event_id), default=None)
    return first.campaign_id if first else ""


def _clicks_of(items: Iterable[ActivityItem]) -> Iterable[CampaignClick]:
    for item in items:
        event = item.envelope.event
        if item.envelope.automated:
            continue  # known for a machine's by itself
        if isinstance(event, Identify | EmailClick) and event.campaign_id:
            yield CampaignClick(
                event_id=event.event_id,
                campaign_id=event.campaign_id,
                visitor_id=item.envelope.visitor_id,
                contact_id=event.contact_id,
                landed=isinstance(event, Identify),
                at_ms=item.envelope.occurred_ms,
            )
