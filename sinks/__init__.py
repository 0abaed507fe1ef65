"""From topics to the outside world: ClickHouse, chat and email."""
