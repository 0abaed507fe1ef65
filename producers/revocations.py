"""Which links and tokens identify nobody any more: by contact, by campaign, or by both."""

from schemas.emails import Revocation


class Revocations:
    """The revocations that stand; what was made up to the moment of one that concerns it is revoked."""

    def __init__(self) -> None:
        """Start without any."""
        self._until_ms: dict[tuple[str | None, str | None], int] = {}

    def put(self, revocation: Revocation) -> None:
        """Take one in; of several that concern the same, the latest stands."""
        key = revocation.contact_id, revocation.campaign_id
        self._until_ms[key] = max(revocation.until_ms, self._until_ms.get(key, 0))

    def concern(self, contact_id: str, campaign_id: str, made_ms: int) -> bool:
        """Say whether a link or token made for a contact and a campaign at a time is revoked."""
        keys = (contact_id, campaign_id), (contact_id, None), (None, campaign_id)
        return any(made_ms <= self._until_ms.get(key, -1) for key in keys)
