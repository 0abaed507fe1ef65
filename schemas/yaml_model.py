"""A model from a YAML file that people write: each fault with the place where a person will look for it."""

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

MAX_BYTES = 2_000_000
MAX_NODES = 200_000  # with all aliases spelt out: a small file of aliases can stand for billions
MAX_DEPTH = 50

Place = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, order=True)
class Fault:
    """What is wrong in a file, and where; line and column count from 1."""

    file: str
    line: int
    column: int
    field: str
    reason: str

    @property
    def place(self) -> str:
        """Where it is, as editors take it."""
        return f"{self.file}:{self.line}:{self.column}"

    def __str__(self) -> str:
        said = f"{self.field}: {self.reason}" if self.field else self.reason
        return f"{self.place}: {said}"


Check = Callable[[Any], Iterator[tuple[Place, str]]]
"""Looks at a model that is valid by itself, and gives the path and reason of what is wrong nevertheless."""


def read_yaml(model: type[M], file: str, data: bytes, check: Check) -> tuple[M | None, list[Fault]]:
    """Return the model that a file holds, or None, and all faults found, in the order in which they stand there."""
    try:
        root, raw = _parsed(data)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        said = " ".join(part for part in (error.context, error.problem) if part)
        return None, [Fault(file, line, column, "", f"not valid YAML: {said}")]
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        return None, [Fault(file, 1, 1, "", f"not valid YAML: {' '.join(str(error).split())}")]
    found = [*_repeated_keys(root, file)]
    value: M | None = None
    try:
        value = model.model_validate(raw)
    except ValidationError as error:
        found += _faults_of(error, model, root, file)
    else:
        found += [_fault(root, file, path, reason) for path, reason in check(value)]
    return (None if found else value), sorted(set(found))


def values_of(annotation: Any, wanted: Any, value: Any, path: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield the path and value of all that is annotated as `wanted`, anywhere inside a model's value."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if annotation == wanted:
        yield path, value
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from values_of(field.annotation, wanted, getattr(value, name), (*path, name))
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from values_of(_inner(annotation, dict, -1), wanted, each, (*path, str(key)))
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from values_of(_inner(annotation, tuple, 0), wanted, each, (*path, index))


def _inner(annotation: Any, kind: type, index: int) -> Any:
    """Return what a container's annotation says of its values, also where it stands in a union."""
    choices = get_args(annotation) if get_origin(annotation) in (UnionType, Union) else (annotation,)
    return next((get_args(choice)[index] for choice in choices if get_origin(choice) is kind), None)


def _parsed(data: bytes) -> tuple[yaml.Node, Any]:
    if len(data) > MAX_BYTES:
        raise ValueError(f"the file has more than {MAX_BYTES:,} bytes")
    loader = yaml.SafeLoader(data)
    try:
        root = loader.get_single_node()
        if root is None:
            raise ValueError("the file is empty")
        _measure(root, 0, 0)
        return root, loader.construct_document(root)
    finally:
        loader.dispose()


def _measure(node: yaml.Node, depth: int, count: int) -> int:
    count += 1
    if depth > MAX_DEPTH or count > MAX_NODES:
        raise ValueError("it is nested too deeply, or holds too much")
    for child in _children(node):
        count = _measure(child, depth + 1, count)
    return count


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value


def _repeated_keys(node: yaml.Node, file: str, path: Place = ()) -> Iterator[Fault]:
    """YAML's parser lets a later key replace an earlier one in silence: half of a topic would be gone."""
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            yield from _repeated_keys(child, file, (*path, index))
    elif isinstance(node, yaml.MappingNode):
        first: dict[str, yaml.Mark] = {}
        for key, child in node.value:
            name = str(key.value)
            before = first.setdefault(name, key.start_mark)
            if before is not key.start_mark:
                reason = f"the key stands already in line {before.line + 1}"
                yield Fault(file, key.start_mark.line + 1, key.start_mark.column + 1, _dotted((*path, name)), reason)
            yield from _repeated_keys(child, file, (*path, name))


def _faults_of(error: ValidationError, model: type[BaseModel], root: yaml.Node, file: str) -> Iterator[Fault]:
    for detail in error.errors(include_url=False):
        spot = _trace(root, detail["loc"])
        if _is_other_choice(detail["loc"], spot):
            continue
        reason, mark = detail["msg"].removeprefix("Value error, "), spot.value.start_mark
        if detail["type"] == "extra_forbidden":
            mark = spot.key.start_mark
            reason = f"unknown key{_meant(str(spot.path[-1]), _fields_at(model, spot.path[:-1]))}"
        elif detail["type"] == "missing":
            mark = spot.key.start_mark
            reason = f"{str(detail['loc'][-1])!r} is missing"
        elif detail["loc"][-1:] == ("[key]",):
            mark = spot.key.start_mark
            reason = f"not allowed as a key: {reason[:1].lower()}{reason[1:]}"
        elif isinstance(spot.value, yaml.ScalarNode):
            reason += f"; it is {spot.value.value!r:.80}"
            if detail["type"] == "string_type":
                reason += ", which YAML takes for no text: put it in quotes"
        yield Fault(file, mark.line + 1, mark.column + 1, _dotted(spot.path), reason)


class _Spot(NamedTuple):
    """Where a path leads in a file: as far as the file has it, with the node there and its key, if it has one."""

    path: Place
    key: yaml.Node
    value: yaml.Node


def _trace(root: yaml.Node, loc: Place) -> _Spot:
    """Follow an error's location, which also names what no file has: a union's choices, and "[key]" behind a key."""
    path: list[str | int] = []
    key, node = root, root
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            found = [(name, value) for name, value in node.value if str(name.value) == str(part)]
            if found:
                key, node = found[-1]
                path.append(part)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            key = node = node.value[part]
            path.append(part)
    return _Spot(tuple(path), key, node)


def _is_other_choice(loc: Place, spot: _Spot) -> bool:
    """Say whether an error is only about a choice of a union that the file did not make."""
    choice = loc[-1] if len(loc) > len(spot.path) else ""
    if choice == "str":
        return isinstance(spot.value, yaml.MappingNode)
    return isinstance(choice, str) and choice.startswith("dict[") and not isinstance(spot.value, yaml.MappingNode)


def _fields_at(model: type[BaseModel], path: Place) -> list[str]:
    """Return the names of the fields of the model at a path."""
    annotation: Any = model
    for part in path:
        while get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = annotation.model_fields.get(str(part))
            annotation = field.annotation if field else None
        else:
            kind, index = (tuple, 0) if isinstance(part, int) else (dict, -1)
            annotation = _inner(annotation, kind, index)
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return list(annotation.model_fields) if is_model else []


def _meant(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there are {', '.join(known)}" if known else ""


def _fault(root: yaml.Node, file: str, path: Place, reason: str) -> Fault:
    mark = _trace(root, path).value.start_mark
    return Fault(file, mark.line + 1, mark.column + 1, _dotted(path), reason)


def _dotted(path: Place) -> str:
    return ".".join(map(str, path))
