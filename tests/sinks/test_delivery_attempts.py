"""What may pass is tried again, ever more slowly; what may have worked is not."""

import pytest

from sinks.delivery.attempts import Attempted, HeldBackError, attempt, pauses
from sinks.delivery.ledger import LedgerState
from sinks.delivery.send_errors import PermanentSendError, TransientSendError, UnknownSendError


class Line:
    """A sender that ends each try as it is told, and a clock that notes how long it was waited."""

    def __init__(self, *ends: Exception | None, stops_at: float = 1e9) -> None:
        self.ends = list(ends)
        self.waited: list[float] = []
        self.stops_at = stops_at

    def send(self) -> None:
        end = self.ends.pop(0)
        if end is not None:
            raise end

    def pause(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return sum(self.waited) >= self.stops_at


def test_pauses_double_and_never_exceed_a_minute() -> None:
    assert pauses(9, 1) == [1, 2, 4, 8, 16, 32, 60, 60]
    assert pauses(1, 5) == []
    assert pauses(3, 600) == [60, 60]


def test_what_fails_twice_and_then_works_is_sent_at_the_third_try() -> None:
    line = Line(TransientSendError("down"), TransientSendError("down"), None)
    assert attempt(line.send, pauses(5, 1), line.pause) == Attempted(LedgerState.sent, 3)
    assert line.waited == [1, 2]


def test_what_fails_at_every_try_has_failed_for_the_last_reason() -> None:
    line = Line(*(TransientSendError(f"down {number}") for number in range(3)))
    assert attempt(line.send, pauses(3, 1), line.pause) == Attempted(LedgerState.failed, 3, "down 2")
    assert line.waited == [1, 2]


@pytest.mark.parametrize(
    ("error", "state"), [(PermanentSendError, LedgerState.failed), (UnknownSendError, LedgerState.uncertain)]
)
def test_what_is_refused_for_good_or_may_have_worked_is_not_tried_again(
    error: type[Exception], state: LedgerState
) -> None:
    line = Line(TransientSendError("down"), error("why"))
    is_final = state is LedgerState.failed
    assert attempt(line.send, pauses(5, 1), line.pause) == Attempted(state, 2, "why", is_final=is_final)


def test_a_stop_ends_the_wait_and_leaves_the_message_unsent() -> None:
    line = Line(*(TransientSendError("down") for _ in range(5)), stops_at=3)
    assert attempt(line.send, pauses(5, 1), line.pause) == Attempted(LedgerState.released, 2, "down")


def test_what_the_receiver_says_to_wait_is_waited_and_a_long_wait_is_left_for_later() -> None:
    line = Line(TransientSendError("later", 7), TransientSendError("much later", 600))
    assert attempt(line.send, pauses(5, 1), line.pause) == Attempted(LedgerState.released, 2, "much later", 600)
    assert line.waited == [7]
    again = Line(TransientSendError("still"), None)
    assert attempt(again.send, pauses(5, 1), again.pause, tried=2) == Attempted(LedgerState.sent, 4)
    assert again.waited == [4]


def test_a_turn_that_did_not_come_is_no_try() -> None:
    line = Line(HeldBackError("full", 40))
    assert attempt(line.send, pauses(5, 1), line.pause, tried=1) == Attempted(LedgerState.released, 1, "full", 40)
