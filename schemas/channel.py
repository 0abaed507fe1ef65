"""The ways to reach a rep."""

from enum import StrEnum


class ChannelKind(StrEnum):
    """The ways to reach a rep."""

    email = "email"
    chat = "chat"
