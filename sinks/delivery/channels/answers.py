"""What a chat service answered, and what that means where the status alone tells it."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sinks.delivery.send_errors import PermanentSendError, SendError, TransientSendError, UnknownSendError

_DEFAULT_WAIT_S = 1.0
_TOO_MANY = 429
_NOT_IN_TIME = 504
_RETRIED = frozenset({408, 425, 429, 500, 502, 503})
_MAX_WORD = 40
_ERRCODE_BUSY = -1


@dataclass(frozen=True)
class Sent:
    """A message was taken; where it stands, if the service told and it can be edited there."""

    place: str = ""
    message: str = ""


@dataclass(frozen=True)
class Answer:
    """A status, the body's first bytes, and how many seconds to wait by the header Retry-After, 0 without."""

    status: int
    body: bytes = b""
    retry_after_s: float = 0.0

    @property
    def is_success(self) -> bool:
        """Tell whether the status says so; the body may not."""
        return 200 <= self.status < 300  # noqa: PLR2004 - what HTTP calls success

    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode("utf-8", "replace")

    def word(self) -> str:
        """Return the body if it is a single word, as Slack's reasons are; it is fit to be logged."""
        text = self.text().strip()
        return text if len(text) <= _MAX_WORD and text.replace("_", "").isalnum() and text.isascii() else ""


def json_of(answer: Answer) -> dict[str, Any]:
    """Return the body's object; empty if it is none."""
    try:
        said = json.loads(answer.body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def coded(answer: Answer, *names: str) -> int:
    """Return the service's own code, under the first of these names that is there.

    Raises:
        UnknownSendError: there is none, though the status was success: nobody knows what became of the message.
        PermanentSendError: there is none, and the status says that it was refused.
    """
    said = json_of(answer)
    for name in names:
        code = said.get(name)
        if isinstance(code, int) and not isinstance(code, bool):
            return code
    if answer.is_success:
        raise UnknownSendError("the chat service answered without a code")
    raise PermanentSendError(f"the chat service refused it: status {answer.status}")


def refusal(service: str, answer: Answer, word: str) -> SendError:
    """Return the error that a status means."""
    reason = f"{service} answered {answer.status} {word}".strip()
    if answer.status in _RETRIED:
        least_s = _DEFAULT_WAIT_S if answer.status == _TOO_MANY else 0.0
        return TransientSendError(reason, max(answer.retry_after_s, least_s))
    if answer.status == _NOT_IN_TIME:
        return UnknownSendError(reason)
    return PermanentSendError(reason)


def judged_by_errcode(service: str, answer: Answer, too_many: Collection[int], wait_s: float) -> Sent:
    """Read the answer of a robot whose refusals have status 200 too, and their reason in `errcode`.

    After one of `too_many` it hears nothing for a while: `wait_s`, if it does not say how long itself.

    Raises:
        SendError: it was not taken.
    """
    if not answer.is_success:
        raise refusal(service, answer, "")
    code = coded(answer, "errcode")
    if code == 0:
        return Sent()
    if code in too_many:
        raise TransientSendError(f"{service} takes no more for now (errcode {code})", answer.retry_after_s or wait_s)
    if code == _ERRCODE_BUSY:
        raise TransientSendError(f"{service} is busy (errcode -1)", answer.retry_after_s)
    raise PermanentSendError(f"{service} refused: errcode {code}")
