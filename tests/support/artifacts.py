"""Where tests keep what people should look at: pictures of pages."""

import os
from pathlib import Path

from tests.support.processes import PROJECT


def kept(folder: str) -> Path:
    """Give a folder, made if need be, below READBRIEF_ARTIFACTS or the checkout's `artifacts/`."""
    path = Path(os.environ.get("READBRIEF_ARTIFACTS") or PROJECT / "artifacts") / folder
    path.mkdir(parents=True, exist_ok=True)
    return path
