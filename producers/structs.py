"""Structs of the contract's models: the same fields and bounds, read and written in a third of the time. Pure.

A struct can say neither patterns nor a model's own validators: whoever reads into structs must check both.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache, lru_cache, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo

TAG = "type"

_BOUNDS = ("ge", "le", "min_length", "max_length")
_REMEMBERED = 2_000  # addresses and ids of page views, which come again in each event of a visitor
_UNIQUE = frozenset({"event_id"})  # which never does

Match = Callable[[str], object]


@cache
def struct_of(model: type[BaseModel]) -> type[msgspec.Struct]:
    """Return the struct of a model; a field named `type` is its tag in unions. Defaults are not written."""
    tag = model.model_fields[TAG].default if TAG in model.model_fields else None
    return msgspec.defstruct(
        model.__name__,
        [_field(name, info) for name, info in model.model_fields.items() if name != TAG],
        kw_only=True,
        omit_defaults=True,
        gc=False,  # none holds what could hold it
        tag_field=TAG if tag else None,
        tag=tag,
    )


@cache
def patterns_of(model: type[BaseModel]) -> tuple[tuple[str, Match], ...]:
    """Return which fields have a pattern, and what returns None for a value that does not match it."""
    return tuple(
        (name, _match(limits["pattern"], again=name not in _UNIQUE))
        for name, info in model.model_fields.items()
        if "pattern" in (limits := _limits(info.metadata))
    )


@cache
def validators_of(model: type[BaseModel]) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """Return which fields the model itself validates, and by what: it raises ValueError for a wrong value."""
    return tuple(
        (name, getattr(model, validator.cls_var_name))
        for validator in model.__pydantic_decorators__.field_validators.values()
        for name in validator.info.fields
    )


def _field(name: str, info: FieldInfo) -> tuple[str, Any] | tuple[str, Any, Any]:
    kind = _bounded(_kind(info.annotation), info.metadata)
    if info.is_required():
        return name, kind
    default = info.get_default(call_default_factory=True, validated_data={})
    return name, kind, default  # of an empty list or dict, msgspec makes a new one each time


def _kind(annotation: Any) -> Any:
    """Return a type of a model's field as a struct's field has it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner, *metadata = arguments
        return _bounded(_kind(inner), metadata)
    if origin in (UnionType, Union):
        return reduce(or_, map(_kind, arguments))
    if origin in (tuple, dict):
        return origin[tuple(each if each is ... else _kind(each) for each in arguments)]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return struct_of(annotation)
    return annotation


def _bounded(kind: Any, metadata: Iterable[Any]) -> Any:
    bounds = {name: limit for name, limit in _limits(metadata).items() if name in _BOUNDS}
    return Annotated[kind, msgspec.Meta(**bounds)] if bounds else kind


def _limits(metadata: Iterable[Any]) -> dict[str, Any]:
    """Return the limits that a field's metadata set, by pydantic's names."""
    found: dict[str, Any] = {}
    for each in metadata:
        if isinstance(each, FieldInfo):
            found |= _limits(each.metadata)
        for name in (*_BOUNDS, "pattern"):
            if (limit := getattr(each, name, None)) is not None:
                found[name] = limit
    return found


@cache
def _match(pattern: str, *, again: bool) -> Match:
    whole = re.compile(pattern.removesuffix("$") + r"\Z")  # in Python, unlike in pydantic, $ lets a line break follow
    return lru_cache(maxsize=_REMEMBERED)(whole.match) if again else whole.match
