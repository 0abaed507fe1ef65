"""The site's pictures: vibration traces, drawn from a seed so that each article always has its own."""

import math
from collections.abc import Callable
from random import Random

WIDTH = 1200
_STEP = 3
_FIRST_TICKS = 0.44
_REPAIR = 0.84


def story_trace(height: int = 240) -> str:
    """Return an SVG path of a machine's story: calm, then growing ticks, then calm again after the repair."""
    return _trace(
        "story", WIDTH, height, lambda at: max(0.0, (at - _FIRST_TICKS) / 0.4) ** 1.6 if at < _REPAIR else 0.0
    )


def article_trace(name: str, width: int = WIDTH, height: int = 150) -> str:
    """Return an SVG path of a trace that is this article's own."""
    swing = Random(f"swing {name}").uniform(0.25, 0.75)  # noqa: S311 - a picture, no secret
    return _trace(name, width, height, lambda at: max(0.0, 1 - abs(at - swing) * 2.6))


def _trace(seed: str, width: int, height: int, strength: Callable[[float], float]) -> str:
    """Draw hum, noise and ringing ticks; `strength` tells how loud the ticks are at a fraction of the width."""
    random = Random(seed)  # noqa: S311 - a picture, no secret
    hum, gap = random.uniform(0.045, 0.075), random.uniform(34, 58)
    points = []
    for x in range(0, width + _STEP, _STEP):
        loud = strength(x / width)
        since_tick = x % gap
        ring = math.exp(-since_tick / 11) * math.sin(since_tick * 1.1 + 0.6) * loud
        noise = random.gauss(0, 0.03 + 0.05 * loud)
        level = 0.07 * math.sin(x * hum) + noise + 0.9 * ring
        points.append(f"{x} {height / 2 * (1 - max(-0.96, min(0.96, level))):.1f}")
    return "M" + "L".join(points)
