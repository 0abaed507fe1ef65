"""How templates are read: what comes from outside is escaped, what is missing is an error."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(package: str, *, escape: bool = True, **more: Any) -> Environment:
    """Return a package's templates; without `escape` they are plain text, where entities would show."""
    return Environment(
        loader=PackageLoader(package),
        autoescape=escape,  # noqa: S701 - see above
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        **more,
    )
