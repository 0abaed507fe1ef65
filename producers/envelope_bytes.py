"""From a checked report to the bytes of its envelopes, each event written once, by its own type's serializer. Pure."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import SchemaSerializer

from producers.intake import Client, corrected_ms, known_events
from schemas.envelope import Report
from schemas.settings import Settings


def envelopes_bytes(report: Report, received_ms: int, settings: Settings, client: Client) -> list[bytes]:
    """Return what `envelopes_of` returns, as JSON: no envelope is built, because each would be read only once.

    Ids and networks have no characters that JSON escapes.

    Raises:
        RefusedError: 400, a token is forged, expired or another site's; the field path says which.
    """
    before = (
        f'{{"site":"{report.site}","visitor_id":"{report.visitor_id}","sent_ms":{report.sent_ms},'
        f'"received_ms":{received_ms},"occurred_ms":'
    )
    after = ""
    if client.automated:
        after += ',"automated":true'
    if client.network is not None:
        after += f',"client_network":"{client.network}"'
    end = f"{after}}}".encode()
    found = []
    for index, reported in enumerate(report.events):
        for event in known_events(reported, index, report.site, received_ms, settings):
            occurred_ms = corrected_ms(event.occurred_ms, report.sent_ms, received_ms)
            written = _serializer(type(event)).to_json(event, exclude_none=True)
            found.append(b'%b%d,"event":%b%b' % (before.encode(), occurred_ms, written, end))
    return found


@cache
def _serializer(event_type: type[Any]) -> SchemaSerializer:
    serializer = TypeAdapter(event_type).serializer
    assert isinstance(serializer, SchemaSerializer)  # noqa: S101 - else the type refers to one not yet defined
    return serializer
