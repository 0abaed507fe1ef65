"""The broker and the ClickHouse that run from Python wheels, for a machine without either."""
