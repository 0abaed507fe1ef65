"""The command `readbrief`, which is `python -m readbrief`, too."""

import gc
from typing import NoReturn


def main() -> NoReturn:
    """Run the command.

    The garbage collector comes seldom: what a process imports and builds at its start stays, and walking it again and
    again takes longer than making it.
    """
    gc.set_threshold(50_000, 20, 100)
    from readbrief.cli import main as command

    command()


if __name__ == "__main__":
    main()
