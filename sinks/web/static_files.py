"""The one style sheet and the one script, each under an address that changes with its content."""

from functools import cache
from hashlib import blake2b
from pathlib import Path

_FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


@cache
def static_files() -> dict[str, tuple[bytes, str]]:
    """Return every file that is served as it is, by name, with its type."""
    return {path.name: (path.read_bytes(), TYPES[path.suffix]) for path in _FOLDER.iterdir() if path.suffix in TYPES}


@cache
def static_address(name: str) -> str:
    """Return a file's address: what it names may be kept by a browser for good."""
    return f"/static/{name}?{blake2b(static_files()[name][0], digest_size=6).hexdigest()}"
