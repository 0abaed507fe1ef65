"""Build the served snippet and overlay: `python -m producers.snippet.build [--check]`. Needs Node and npm."""

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path

from producers.snippet import compressed

HERE = Path(__file__).parent
BUILT = HERE / "dist" / "rb.js"
OVERLAY = HERE / "dist" / "overlay.js"
BUILT_FROM = HERE / "dist" / "rb.js.source-sha256"
MAX_BYTES = {"br": 4096, "gzip": 4608}  # browsers without brotli are a percent or two

_TOOLS = HERE / "node_modules" / ".bin"
# No lock file: the development dependencies are pinned in package.json. No scripts: esbuild runs without its own.
_INSTALL = ("npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund")
_BUNDLE = (
    *("esbuild", "snippet.js", "--bundle", "--format=iife", "--target=es2021", "--charset=utf8"),
    "--minify-syntax",  # each finds some bytes that the other does not
)
# Loaded by those who look at figures, as a module, and so of any size that is reasonable.
_OVERLAY = ("esbuild", "overlay.js", "--bundle", "--format=esm", "--target=es2021", "--charset=utf8", "--minify")
_OURS = "began|oldTitle|opened|room|root|told|at"  # properties that no one else reads: they may be renamed
_MINIFY = (
    *("terser", "--ecma", "2021", "--toplevel", "--mangle", "--mangle-props", f"regex=/^({_OURS})$/"),
    *("--compress", "ecma=2021,keep_fargs=false,passes=3,pure_getters,hoist_funs,unsafe,unsafe_arrows,unsafe_methods"),
)

# Chromium then compiles all functions with the script: later, each first call would take a task twice as long.
_COMPILE_AT_ONCE = b"//# allFunctionsCalledOnLoad\n"


def source_hash() -> str:
    """Return a hash over all source files of the snippet and the pinned tool."""
    digest = hashlib.sha256()
    for path in [
        HERE / "package.json",
        HERE / "snippet.js",
        HERE / "overlay.js",
        *sorted((HERE / "source").glob("*.js")),
    ]:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(HERE).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def bundle() -> bytes:
    """Return the minified snippet, made from the source by esbuild, which bundles, and terser, which minifies.

    Raises:
        subprocess.CalledProcessError: a tool failed; it has said why on standard error.
        FileNotFoundError: there is no npm.
    """
    _install()
    return _COMPILE_AT_ONCE + _run(_MINIFY, _run(_BUNDLE, b""))


def overlay_bundle() -> bytes:
    """Return the minified overlay. Raises as `bundle` does."""
    _install()
    return _run(_OVERLAY, b"")


def _install() -> None:
    if not all((_TOOLS / name).exists() for name in ("esbuild", "terser")):
        subprocess.run(_INSTALL, cwd=HERE, check=True, stdout=sys.stderr)  # noqa: S603 - a constant


def _run(command: tuple[str, ...], text: bytes) -> bytes:
    tool = str(_TOOLS / command[0])
    return subprocess.run(  # noqa: S603 - constants
        [tool, *command[1:]], cwd=HERE, input=text, check=True, stdout=subprocess.PIPE
    ).stdout


def main() -> int:
    """Write the built files, or with `--check` only compare; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m producers.snippet.build", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if a committed file is not what the source gives")
    check = parser.parse_args().check
    script, overlay = bundle(), overlay_bundle()
    sizes = {encoding: len(body) for encoding, body in compressed(script).items()}
    sys.stdout.write(f"rb.js: {len(script)} bytes, served as {sizes['br']} with brotli, {sizes['gzip']} with gzip\n")
    for encoding, most in MAX_BYTES.items():
        if sizes[encoding] > most:
            sys.stderr.write(f"too big: at most {most} bytes with {encoding}\n")
            return 1
    if not check:
        BUILT.parent.mkdir(exist_ok=True)
        BUILT.write_bytes(script)
        OVERLAY.write_bytes(overlay)
        BUILT_FROM.write_text(f"{source_hash()}\n", encoding="ascii")
    elif not _is_built(script, overlay):
        sys.stderr.write("dist is not what the source gives: run python -m producers.snippet.build\n")
        return 1
    return 0


def _is_built(script: bytes, overlay: bytes) -> bool:
    built = BUILT.exists() and OVERLAY.exists() and BUILT_FROM.read_text("ascii").strip() == source_hash()
    return built and BUILT.read_bytes() == script and OVERLAY.read_bytes() == overlay


if __name__ == "__main__":
    sys.exit(main())
