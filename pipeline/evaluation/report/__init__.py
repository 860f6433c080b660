"""What an evaluation or a score found, for people: in the terminal, for a pull request, and as a page."""

from pipeline.evaluation.report.page import write_page
from pipeline.evaluation.report.terminal import print_next, print_report
from pipeline.evaluation.results import read_results

__all__ = ["print_next", "print_report", "read_results", "write_page"]
