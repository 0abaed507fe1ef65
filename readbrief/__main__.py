"""The command `readbrief`, which is `python -m readbrief`, too."""

import gc
import os
from typing import NoReturn


def main() -> NoReturn:
    """Run the command.

    The garbage collector comes seldom: what a process imports and builds at its start stays, and walking it again and
    again takes longer than making it. ClickHouse's client would make a table of all days from 1900 to 2299, in 0.2 s
    and 23 MB, in each process that imports it; told so, it makes those that it meets.
    """
    gc.set_threshold(50_000, 20, 100)
    os.environ.setdefault("CLICKHOUSE_DRIVER_LASY_DATE_LUT", "1")
    from readbrief.cli import main as command

    command()


if __name__ == "__main__":
    main()
