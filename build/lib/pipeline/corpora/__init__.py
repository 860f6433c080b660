"""The corpora: where clips come from, behind one small protocol."""
