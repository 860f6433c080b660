"""params.yaml: its sections as frozen dataclasses, and the reading of the file with errors that name the key."""
