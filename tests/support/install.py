"""Installs what the tests need beyond Python packages: a browser, and Java for Apache Kafka.

Run by `make setup-dev`. As root on Debian missing packages are installed; elsewhere the message says what to install.
"""

import os
import shutil
import subprocess
import sys

from tests.support import tracker_clients
from tests.support.kafka_install import KafkaUnavailableError, install, is_available, kafka_version

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
    if missing:
        _install_packages(missing)
    if shutil.which("npm"):
        try:
            print(f"== the clients of Segment and Snowplow are in {tracker_clients.install()}", flush=True)
        except tracker_clients.ClientsUnavailableError as error:
            sys.exit(str(error))
    if not is_available():
        print("== no Java and Maven: the tests will run on the embedded broker alone", flush=True)
        return
    try:
        print(f"== Apache Kafka {kafka_version()} is in {install().jars}", flush=True)
    except KafkaUnavailableError as error:
        sys.exit(str(error))


def _install_packages(missing: list[str]) -> None:
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
