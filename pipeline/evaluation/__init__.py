"""Evaluation on the test split: which clips and methods are compared, and how."""
