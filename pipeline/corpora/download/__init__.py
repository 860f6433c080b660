"""Fetch corpora: download, check and unpack a record's archives, or say where to apply for them."""
