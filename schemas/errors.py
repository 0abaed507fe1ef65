"""The small tree of errors that people read."""


class ReadbriefError(Exception):
    """Something that a person can mend; the message says what and how."""


class InputError(ReadbriefError):
    """A file, an option or a message breaks a rule."""


class UnavailableError(ReadbriefError):
    """A server that is needed can't be reached."""


class TryAgainError(UnavailableError):
    """Not all of what was handed over could be taken; nothing is wrong with it, so hand it over again later."""
