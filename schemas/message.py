"""What every message has in common: it is frozen, versioned and travels as JSON."""

from functools import cache
from ipaddress import ip_network
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from pydantic import Field as _Field

_set = object.__setattr__  # of what is frozen

MAX_UNIX_MS = 4_102_444_800_000  # 2100-01-01, beyond which a clock is simply wrong


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise ValueError(f"{text!r} is no IP network such as 203.0.113.0/24 or 2001:db8::/32") from error


UnixMs = Annotated[int, _Field(ge=0, le=MAX_UNIX_MS, description="Milliseconds since 1970-01-01 UTC")]
DurationMs = Annotated[int, _Field(ge=0, le=86_400_000, description="Milliseconds, at most one day")]
Percent = Annotated[int, _Field(ge=0, le=100)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$")]
Reader = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9._:@+-]{0,127})?$")]
"""A contact's id; empty for somebody of the account whose name is not known."""
Label = Annotated[str, StringConstraints(max_length=200)]
Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253)]
Line = Annotated[str, StringConstraints(max_length=500)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"]+$", max_length=2000)]
Network = Annotated[str, AfterValidator(_network)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


@cache
def _set_in(model: type[BaseModel]) -> set[str]:
    """Return the names of a model's fields: one set for all that say all; pydantic copies it before it adds to it."""
    return set(model.model_fields)


class Model(BaseModel):
    """A frozen value of the contract; unknown fields are ignored, so that a reader survives a newer writer."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    @classmethod
    def trusted(cls, values: dict[str, Any]) -> Self:
        """Return a model of values known to be right, one for each field in their order; checking costs ten times that.

        The model takes the dictionary over.
        """
        made = cls.__new__(cls)
        _set(made, "__dict__", values)
        _set(made, "__pydantic_fields_set__", _set_in(cls))
        _set(made, "__pydantic_extra__", None)
        _set(made, "__pydantic_private__", None)
        return made

    def to_compact_bytes(self) -> bytes:
        """Return the model as JSON without what it has by default; the serializer's bytes, in half of the time."""
        return self.__pydantic_serializer__.to_json(self, exclude_defaults=True)

    def to_plain_bytes(self) -> bytes:
        """Return the model as compact JSON, without what is None."""
        return self.__pydantic_serializer__.to_json(self, exclude_none=True)

    def but(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, to values known to be right: a quicker `model_copy`."""
        return self.trusted({**self.__dict__, **changes})


class Message(Model):
    """A value of a topic: carries its schema version and knows its bytes."""

    v: Literal[1] = 1

    def to_bytes(self) -> bytes:
        """Return the message as compact JSON."""
        return self.to_plain_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a message from JSON.

        Raises:
            pydantic.ValidationError: the bytes are not such a message; the error names the field.
        """
        return cls.model_validate_json(data)


class FileModel(BaseModel):
    """A value that people write by hand: an unknown field is a typing error, and is refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def first_error(error: Any) -> str:
    """Say in one line which field of a pydantic error is wrong, and why."""
    details = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in details["loc"]) or "(whole message)"
    return f"{where}: {details['msg']}"
