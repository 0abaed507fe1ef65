"""How tokens are signed: by a time that is handed in, never by the machine's clock."""

from typing import Any

from itsdangerous.timed import TimestampSigner


class SignerAt(TimestampSigner):
    """Signs and judges as of a moment, in Unix seconds."""

    def __init__(self, *args: Any, now_s: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self._now_s = now_s

    def get_timestamp(self) -> int:
        """Return the moment."""
        return self._now_s
