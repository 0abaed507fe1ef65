"""The shell: command line, embedded stack, process supervisor and demo."""
