"""The collector: what websites and email links tell over HTTP becomes messages in Kafka."""
