"""Fetches what the tests need from npm and Maven: the trackers' own clients, Apache Kafka. Run by `make setup-dev`."""

import shutil
import sys

from tests.support import tracker_clients
from tests.support.kafka_install import KafkaUnavailableError, install, is_available, kafka_version


def main() -> None:
    """Fetch what is missing, saying so; exits non-zero if that fails."""
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


if __name__ == "__main__":
    main()
