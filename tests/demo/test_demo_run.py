"""`readbrief demo --exit-after 3 --json`: the main job on an invented company, for machines."""

import json
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
import pytest

FIELDS = {"account", "rep", "channel", "language", "headline", "reads", "trigger"}
READ_FIELDS = {"title", "url", "active_s", "depth_pct", "section"}


@pytest.mark.timeout(120)
def test_three_delivered_briefs_are_printed_as_json_lines_and_nothing_else(
    figure: Callable[[str], None],
) -> None:
    began = time.monotonic()
    command = [sys.executable, "-m", "readbrief", "demo", "--exit-after", "3", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        children: dict[int, psutil.Process] = {}
        while demo.poll() is None and time.monotonic() - began < 90:
            children |= {child.pid: child for child in psutil.Process(demo.pid).children(recursive=True)}
            time.sleep(0.5)
        lasted_s = time.monotonic() - began
        demo.kill()
        out, err = demo.communicate()
    assert demo.returncode == 0, err
    briefs = [json.loads(line) for line in out.splitlines()]
    assert len(briefs) == 3
    assert len({brief_id for brief in briefs for brief_id in brief["brief_ids"]}) == 3
    for brief in briefs:
        assert set(brief) >= FIELDS
        assert brief["account"]
        assert brief["rep"]
        assert brief["channel"] in {"email", "chat"}
        assert brief["reads"]
        for read in brief["reads"]:
            assert set(read) >= READ_FIELDS
            assert read["active_s"] > 0
    assert not psutil.wait_procs(list(children.values()), timeout=5)[1], "a process outlived the demo"
    (first,) = [line for line in err.splitlines() if "first brief" in line]
    figure(f"demo: {first.lstrip('· ')} (target: 30), three briefs and gone after {lasted_s:.1f} s (target: 60)")
    assert lasted_s < 60
