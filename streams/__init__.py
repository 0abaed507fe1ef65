"""Pure state machines, and the Faust app around them."""
