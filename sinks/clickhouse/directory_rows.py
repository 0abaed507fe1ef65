"""The rows of `directory`: one per entity; a tombstone becomes a row that marks it deleted."""

from typing import Any

from schemas.directory import Account, Contact, Content, OptOut, Rep, entry_from_bytes
from sinks.clickhouse.table import Row, Table, UnreadableRecordError
from sinks.consumer import Record

# What a column holds when the entity has nothing for it.
_SAID_BY_ENTITY: dict[str, Any] = {
    "name": "",
    "account_id": "",
    "contact_id": "",
    "rep_id": "",
    "url": "",
    "topics": [],
    "stage": "",
    "lifecycle": "",
    "industry": "",
    "owner": "",
    "reading_time_s": 0,
}


def rows(record: Record) -> list[Row]:
    """Return the entity's row, or the row that deletes it."""
    if record.value is None:
        return [_row(_key_of(record), "", {}, "", record.timestamp_ms, deleted=1)]
    entity = entry_from_bytes(record.value)
    message = entity.to_bytes().decode()
    return [_row(entity.entity_id, entity.kind, _said_by(entity), message, record.timestamp_ms, deleted=0)]


DIRECTORY = Table("directory", ("entity_id", "kind", *_SAID_BY_ENTITY, "message", "recorded", "deleted"), rows)


def _row(entity_id: str, kind: str, said: dict[str, Any], message: str, recorded_ms: int, *, deleted: int) -> Row:
    return (entity_id, kind, *{**_SAID_BY_ENTITY, **said}.values(), message, recorded_ms, deleted)


def _key_of(record: Record) -> str:
    if not record.key:
        raise UnreadableRecordError("a tombstone without a key")
    try:
        return record.key.decode()
    except UnicodeDecodeError as error:
        raise UnreadableRecordError("a tombstone whose key is no UTF-8") from error


def _said_by(entity: Account | Contact | Rep | Content | OptOut) -> dict[str, Any]:
    match entity:
        case Account():
            return {
                "name": entity.name,
                "account_id": entity.account_id,
                "rep_id": entity.rep_id,
                "industry": entity.industry or "",
                "lifecycle": entity.lifecycle.value,
            }
        case Contact():
            return {"name": entity.name, "account_id": entity.account_id, "contact_id": entity.contact_id}
        case Rep():
            return {"name": entity.name, "rep_id": entity.rep_id}
        case Content():
            return {
                "name": entity.title,
                "url": entity.url,
                "topics": list(entity.topics),
                "stage": entity.stage.value if entity.stage else "",
                "owner": entity.owner,
                "reading_time_s": entity.reading_time_s,
            }
        case OptOut():
            return {}
