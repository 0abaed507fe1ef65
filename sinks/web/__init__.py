"""The pages that reps and marketers look at, served from ClickHouse and the directory."""
