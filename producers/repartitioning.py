"""A bundle whose partition was chosen when there were so many partitions, or when nobody knew how many. Pure."""

import json

from producers.bundling import bundle_bytes
from producers.publisher import partition_of


def repartitioned(bundle: bytes, partitions: int) -> dict[int, bytes]:
    """Return the bundles that a bundle becomes where there are so many partitions, in its envelopes' order."""
    found: dict[int, list[bytes]] = {}
    for envelope in json.loads(bundle)["envelopes"]:
        data = json.dumps(envelope, separators=(",", ":"), ensure_ascii=False).encode()
        found.setdefault(partition_of(envelope["visitor_id"], partitions), []).append(data)
    return {partition: bundle_bytes(envelopes) for partition, envelopes in found.items()}
