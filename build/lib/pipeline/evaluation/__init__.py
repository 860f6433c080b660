"""Evaluation on the test split: what is compared (methods), how it is measured (measure), what is shown (report,
pictures).
"""
