"""The contract: every message, topic, setting and file format. Imports nothing else of ours."""
