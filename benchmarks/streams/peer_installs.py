"""What the peers need, fetched when first needed and kept outside the checkout: a venv for Python, a build for Java."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

from tests.support.processes import PROJECT

_JAVA = PROJECT / "benchmarks" / "streams_java"
_TIMEOUT_S = 900


class PeersUnavailableError(Exception):
    """What a peer needs can't be had here; the message says why."""


def peers_python() -> Path:
    """Return the interpreter of the venv with the `bench` dependency group, made if it is not there.

    Raises:
        PeersUnavailableError: pip could not install them.
    """
    wanted = tomllib.loads((PROJECT / "pyproject.toml").read_text())["dependency-groups"]["bench"]
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = _cache() / f"bench-py{ours}-{_fingerprint(repr(wanted).encode())}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        print(f"installing {', '.join(wanted)} into a venv of their own …", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted])
        (folder / "complete").touch()
    return python


def versions(python: Path) -> dict[str, str]:
    """Return what versions are compared with: of Faust as the pipeline has it, of the others as they are installed."""
    script = "from importlib.metadata import version as v; print(v('quixstreams'), v('bytewax'))"
    quix, bytewax = _run([str(python), "-c", script]).split()
    java = re.search(r"<kafka.version>(.+?)</kafka.version>", (_JAVA / "pom.xml").read_text())
    return {"faust": version("faust-streaming"), "quix": quix, "bytewax": bytewax, "java": java[1] if java else ""}


def java_classpath() -> str:
    """Return the classpath of the Kafka Streams peer, built if its source has changed.

    Raises:
        PeersUnavailableError: Java or Maven is missing, or the build failed.
    """
    if missing := [program for program in ("java", "mvn") if not shutil.which(program)]:
        raise PeersUnavailableError(f"Kafka Streams needs {' and '.join(missing)}")
    sources = [_JAVA / "pom.xml", *sorted(_JAVA.rglob("*.java"))]
    built = _cache() / f"bench-java-{_fingerprint(b''.join(path.read_bytes() for path in sources))}"
    if not (built / "complete").exists():
        print("building the Kafka Streams peer …", flush=True)
        shutil.rmtree(built, ignore_errors=True)
        _run(["mvn", "-B", "-q", "-Dstyle.color=never", "-f", str(_JAVA / "pom.xml"), f"-Dbuilt={built}", "package"])
        (built / "complete").touch()
    return f"{built / 'classes'}:{built / 'jars'}/*"


def _cache() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "readbrief"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _fingerprint(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeersUnavailableError(f"{command[0]} failed: {error}") from error
    if done.returncode:
        raise PeersUnavailableError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout
