"""Webhooks of the services that send marketing's emails: verified, then read into reports. Pure."""
