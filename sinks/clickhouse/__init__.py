"""Keeps everything in ClickHouse, and gives it back: migrations, writer, queries, stitching."""
