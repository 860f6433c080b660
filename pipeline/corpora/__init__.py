"""Corpora: where clips come from, behind one small protocol."""
