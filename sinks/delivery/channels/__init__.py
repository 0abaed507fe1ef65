"""The chat services that briefs are rendered for in their own markup, sent to, and believed by their own codes."""
