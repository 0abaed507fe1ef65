"""The reference page is what the code gives."""

import subprocess
import sys
from pathlib import Path

from tests.support.processes import PROJECT


def test_the_reference_page_is_made_from_this_code(tmp_path: Path) -> None:
    made = tmp_path / "reference.md"
    subprocess.run([sys.executable, "-m", "readbrief.reference", made], check=True, cwd=PROJECT)
    assert (PROJECT / "docs" / "reference.md").read_text() == made.read_text()
