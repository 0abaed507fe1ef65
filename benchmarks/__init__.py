"""What `make bench` runs: each benchmark prints value and target per line, and fails on a miss."""
