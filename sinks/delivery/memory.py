"""What sending must know of earlier messages: where a brief stands, and who takes no digests by mail."""

from datetime import UTC, datetime

from sinks.delivery.channels.answers import Sent
from sinks.delivery.shared_client import SharedClient


class DeliveryMemory(SharedClient):
    """Rows in ClickHouse; threads may share it."""

    what = "what was sent before"

    def note_sent(self, brief_id: str, target: str, sent: Sent, at_ms: int) -> None:
        """Note where a brief stands.

        Raises:
            UnavailableError: ClickHouse does not answer.
        """
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        insert = "INSERT INTO sent_messages (brief_id, target, place, message, at) VALUES"
        self._execute(insert, [(brief_id, target, sent.place, sent.message, at)])

    def sent(self, brief_id: str, target: str) -> Sent | None:
        """Return where a brief stands in a target, None if it is not known to stand there.

        Raises:
            UnavailableError: ClickHouse does not answer.
        """
        query = "SELECT place, message FROM sent_messages FINAL WHERE brief_id = %(brief)s AND target = %(target)s"
        rows = self._execute(query, {"brief": brief_id, "target": target})
        return Sent(*rows[0]) if rows else None

    def takes_mail_digests(self, rep_id: str) -> bool:
        """Tell whether a rep has not ended digests by mail, or has asked for them again.

        Raises:
            UnavailableError: ClickHouse does not answer.
        """
        query = """
            SELECT argMax(kind, at) FROM outcomes
            WHERE rep_id = %(rep)s AND kind IN ('unsubscribed', 'subscribed')
        """
        rows = self._execute(query, {"rep": rep_id})
        return not rows or rows[0][0] != "unsubscribed"
