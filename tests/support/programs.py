"""Installs the programs that the tests need and Python's packages do not bring: a browser, Java, Maven, npm.

Run by `make setup-dev` beside the installation of the packages, so it uses none of them. As root on Debian missing
programs are installed; elsewhere the message says what to install.
"""

import os
import shutil
import subprocess
import sys

PACKAGES = {"chromium": "chromium", "java": "openjdk-17-jre-headless", "mvn": "maven", "npm": "npm"}
USED_FOR = {
    "chromium": "the tests in a real browser",
    "java": "the tests on Apache Kafka",
    "mvn": "the tests on Apache Kafka",
    "npm": "checking the served snippet against its source, and the tests of Segment's and Snowplow's clients",
}


def main() -> None:
    """Install what is missing, saying so; exits non-zero if an installation fails."""
    missing = [program for program in PACKAGES if not shutil.which(program)]
    if not missing:
        return
    packages = [PACKAGES[program] for program in missing]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        for program in missing:
            print(f"== {program} is missing, needed for {USED_FOR[program]}: install it (Debian: {PACKAGES[program]})")
        return
    print(f"== installing Debian packages: {' '.join(packages)} (some minutes the first time)", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", *packages]):
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed with exit code {done.returncode}")


if __name__ == "__main__":
    main()
