"""Why a message was not sent, by what to do about it."""

from schemas.errors import ReadbriefError


class SendError(ReadbriefError):
    """A message could not be sent; the text holds no address, password or secret."""


class TransientSendError(SendError):
    """It was not sent, and another try may help, `retry_after_s` seconds from now at the soonest."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class PermanentSendError(SendError):
    """It was not sent, and no further try will help."""


class UnknownSendError(SendError):
    """The receiver may have taken it or not; another try might send it twice."""
