"""What the tests take from npm, unmodified, in a cache outside the checkout: trackers' clients, and axe-core."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent / "trackers"
_PACKAGE = HERE / "package.json"
_INSTALL = ("npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
_INSTALL_SECONDS = 300
_RUN_SECONDS = 30


class ClientsUnavailableError(Exception):
    """The clients can't be had here; the message says why."""


def install() -> Path:
    """Fetch the clients, once per set of versions, and give their `node_modules`.

    Raises:
        ClientsUnavailableError: there is no npm, or it failed.
    """
    version = hashlib.sha256(_PACKAGE.read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "readbrief"
    installed = cache / f"trackers-{version}"
    if installed.is_dir():
        return installed / "node_modules"
    if missing := [program for program in ("node", "npm") if not shutil.which(program)]:
        raise ClientsUnavailableError(
            f"{' and '.join(missing)} missing: `make setup-dev` as root installs it (Debian: apt-get install npm)"
        )
    # Into a directory of its own and renamed when whole, so that what is interrupted or runs twice does no harm.
    unfinished = installed.with_name(f"{installed.name}.{os.getpid()}")
    try:
        unfinished.mkdir(parents=True)
        shutil.copy(_PACKAGE, unfinished)
        done = subprocess.run(
            _INSTALL, cwd=unfinished, capture_output=True, text=True, check=False, timeout=_INSTALL_SECONDS
        )
        if done.returncode:
            raise ClientsUnavailableError(f"npm could not fetch the trackers' clients:\n{done.stdout}{done.stderr}")
        if not installed.is_dir():
            unfinished.rename(installed)
    except (subprocess.TimeoutExpired, OSError) as error:
        raise ClientsUnavailableError(f"the trackers' clients could not be fetched: {error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return installed / "node_modules"


def run_segment_node(host: str, write_key: str, user_id: str, url: str) -> str:
    """Let a Node program send some calls by Segment's library, and give what it printed; fails if it does."""
    command = ["node", str(HERE / "segment_node.cjs"), host, write_key, user_id, url]
    return _run(command, install())


def snowplow_script() -> str:
    """Give a page's script with Snowplow's tracker for browsers, bundled as a site would."""
    modules = install()
    return _run([str(modules / ".bin" / "esbuild"), str(HERE / "snowplow_page.js"), "--bundle", "--minify"], modules)


def _run(command: list[str], modules: Path) -> str:
    environment = {**os.environ, "NODE_PATH": str(modules)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=_RUN_SECONDS)
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def axe_script() -> str:
    """Give the script by which axe-core judges a page's accessibility."""
    return (install() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
