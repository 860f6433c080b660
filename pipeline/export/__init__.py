"""Giving the prepared clips to other tools, in their own formats."""
