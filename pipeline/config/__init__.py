"""params.yaml: its sections as frozen dataclasses, their ranges, and reading the file with errors that name the key."""
