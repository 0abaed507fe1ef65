"""Tries again what may work later, ever more slowly, and never what may have worked."""

from collections.abc import Callable
from dataclasses import dataclass

from sinks.delivery.ledger import LedgerState
from sinks.delivery.send_errors import PermanentSendError, TransientSendError, UnknownSendError

MAX_PAUSE_S = 60.0


@dataclass(frozen=True)
class Attempted:
    """How it ended, after how many tries; `released` if a stop cut the tries short and nothing was sent."""

    state: LedgerState
    attempts: int
    reason: str = ""


def pauses(attempts: int, first_s: float) -> list[float]:
    """Return the seconds to wait between so many tries: doubling from the first, never more than a minute."""
    return [min(MAX_PAUSE_S, first_s * 2**number) for number in range(attempts - 1)]


def attempt(send: Callable[[], None], between_s: list[float], pause: Callable[[float], bool]) -> Attempted:
    """Send, with another try after each pause as long as the fault may pass.

    `pause` waits so many seconds and returns True if it was cut short because the process stops.
    """
    for number, pause_s in enumerate([*between_s, None], start=1):
        try:
            send()
        except UnknownSendError as error:
            return Attempted(LedgerState.uncertain, number, str(error))
        except PermanentSendError as error:
            return Attempted(LedgerState.failed, number, str(error))
        except TransientSendError as error:
            if pause_s is None:
                return Attempted(LedgerState.failed, number, str(error))
            if pause(pause_s):
                return Attempted(LedgerState.released, number, str(error))
        else:
            return Attempted(LedgerState.sent, number)
    raise AssertionError("the last try always returns")
