"""The small tree of errors that people read."""


class ReadbriefError(Exception):
    """Something that a person can mend; the message says what and how."""


class InputError(ReadbriefError):
    """A file, an option or a message breaks a rule."""


class UnavailableError(ReadbriefError):
    """A server that is needed can't be reached."""
