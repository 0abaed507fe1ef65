"""From the outside world to topics: snippet, collector, email links, directory import."""
