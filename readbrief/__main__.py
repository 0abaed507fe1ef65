"""`python -m readbrief` is the command `readbrief`."""

from readbrief.cli import main

main()
