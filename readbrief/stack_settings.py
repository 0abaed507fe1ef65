"""The settings a command works with: those of the environment, or of the stack that runs on a directory."""

import os
from pathlib import Path

from schemas.settings import Settings, load_settings


def settings_of(data: Path | None) -> Settings:
    """Return the settings of the stack on a directory, or, without one, of the environment.

    Raises:
        InputError: no stack runs there, or a variable is wrong.
    """
    from readbrief.embedded.stack import stack_environment

    if data is not None:
        os.environ.update(stack_environment(data))
    return load_settings()
