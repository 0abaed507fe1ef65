"""Tries again what may work later, ever more slowly, and never what may have worked."""

from collections.abc import Callable
from dataclasses import dataclass

from sinks.delivery.ledger import LedgerState
from sinks.delivery.send_errors import PermanentSendError, SendError, TransientSendError, UnknownSendError

MAX_PAUSE_S = 60.0


class HeldBackError(TransientSendError):
    """It was not tried, as the target takes nothing yet; that is no try."""


@dataclass(frozen=True)
class Attempted:
    """How it ended, after how many tries.

    `released` means that nothing was sent: a stop cut the tries short, or the next one is `wait_s` seconds ahead.
    `is_final` tells that the channel has refused for good.
    """

    state: LedgerState
    attempts: int
    reason: str = ""
    wait_s: float = 0.0
    is_final: bool = False


def pauses(attempts: int, first_s: float) -> list[float]:
    """Return the seconds to wait between so many tries: doubling from the first, never more than a minute."""
    return [min(MAX_PAUSE_S, first_s * 2**number) for number in range(attempts - 1)]


def attempt(
    send: Callable[[], None], between_s: list[float], pause: Callable[[float], bool], tried: int = 0
) -> Attempted:
    """Send, with another try after each pause as long as the fault may pass; some may have been `tried` before.

    `pause` waits so many seconds and returns True if it was cut short because the process stops. What the receiver
    says to wait is waited, and if that is more than a minute, it is left for later.
    """
    for number, pause_s in enumerate([*between_s, None][tried:], start=tried + 1):
        try:
            send()
        except HeldBackError as error:
            return Attempted(LedgerState.released, number - 1, str(error), error.retry_after_s)
        except TransientSendError as error:
            if pause_s is None:
                return Attempted(LedgerState.failed, number, str(error))
            wait_s = max(pause_s, error.retry_after_s)
            if wait_s > MAX_PAUSE_S:
                return Attempted(LedgerState.released, number, str(error), wait_s)
            if pause(wait_s):
                return Attempted(LedgerState.released, number, str(error))
        except (UnknownSendError, PermanentSendError) as error:
            return _ended(error, number)
        else:
            return Attempted(LedgerState.sent, number)
    raise AssertionError("the last try always returns")


def _ended(error: SendError, number: int) -> Attempted:
    if isinstance(error, UnknownSendError):
        return Attempted(LedgerState.uncertain, number, str(error))
    return Attempted(LedgerState.failed, number, str(error), is_final=True)
