"""Why a request, or a part of one, can't be accepted: an answer and a dead letter come of it."""

_LONGEST_MESSAGE = 500


class RefusedError(Exception):
    """A report can't be accepted: the HTTP status to answer, the field that is wrong (empty: the whole) and why."""

    def __init__(self, status: int, field: str, message: str) -> None:
        super().__init__(f"{field or '(whole report)'}: {message[:_LONGEST_MESSAGE]}")
        self.status = status
        self.field = field
        self.message = message[:_LONGEST_MESSAGE]  # it may quote what was sent
