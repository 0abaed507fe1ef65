"""What a process of the command has in memory that nobody asked for."""

import subprocess
import sys

_COUNT_DAYS = """
import sys
from readbrief.__main__ import main

sys.argv = ["readbrief", "--help"]
try:
    main()
except SystemExit:
    from clickhouse_driver.columns import datecolumn

    print("days:", len(datecolumn._date_lut))
"""


def test_no_process_holds_a_table_of_all_the_days_of_four_centuries() -> None:
    done = subprocess.run([sys.executable, "-c", _COUNT_DAYS], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "days: 0"
