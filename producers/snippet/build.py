"""Build the served snippet from its source: `python -m producers.snippet.build [--check]`. Needs Node and npm."""

import argparse
import gzip
import hashlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BUILT = HERE / "dist" / "rb.js"
BUILT_FROM = HERE / "dist" / "rb.js.source-sha256"
MAX_GZIP_BYTES = 4600

_ESBUILD = HERE / "node_modules" / ".bin" / "esbuild"
# No lock file: the one development dependency is pinned in package.json. No scripts: esbuild runs without its own.
_INSTALL = ("npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund")
_OURS = "began|oldTitle|opened|room|root|rows|told"  # properties that no one else reads: they may be renamed
_OPTIONS = ("--bundle", "--minify", f"--mangle-props=^({_OURS})$", "--format=iife", "--target=es2019", "--charset=utf8")


def source_hash() -> str:
    """Return a hash over all source files of the snippet and the pinned tool."""
    digest = hashlib.sha256()
    for path in [HERE / "package.json", HERE / "snippet.js", *sorted((HERE / "source").glob("*.js"))]:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(HERE).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def bundle() -> bytes:
    """Return the minified snippet, made from the source by esbuild.

    Raises:
        subprocess.CalledProcessError: npm or esbuild failed; it has said why on standard error.
        FileNotFoundError: there is no npm.
    """
    if not _ESBUILD.exists():
        subprocess.run(_INSTALL, cwd=HERE, check=True, stdout=sys.stderr)  # noqa: S603 - a constant
    command = [str(_ESBUILD), "snippet.js", *_OPTIONS]
    return subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE).stdout  # noqa: S603 - constants


def main() -> int:
    """Write the built file, or with `--check` only compare; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m producers.snippet.build", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if the committed file is not what the source gives")
    check = parser.parse_args().check
    script = bundle()
    size = len(gzip.compress(script, 9, mtime=0))
    sys.stdout.write(f"rb.js: {len(script)} bytes, {size} with gzip\n")
    if size > MAX_GZIP_BYTES:
        sys.stderr.write(f"too big: at most {MAX_GZIP_BYTES} bytes with gzip\n")
        return 1
    if not check:
        BUILT.parent.mkdir(exist_ok=True)
        BUILT.write_bytes(script)
        BUILT_FROM.write_text(f"{source_hash()}\n", encoding="ascii")
    elif not BUILT.exists() or BUILT.read_bytes() != script or BUILT_FROM.read_text("ascii").strip() != source_hash():
        sys.stderr.write("dist/rb.js is not what the source gives: run python -m producers.snippet.build\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
