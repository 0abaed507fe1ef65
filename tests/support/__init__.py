"""What tests start and stop: brokers, ClickHouse, processes."""
