"""The streams benchmark: one job, done on the same events by this pipeline and by others, on one Apache Kafka."""
