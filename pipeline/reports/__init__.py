"""Reports of an evaluation or a score: the HTML page, tables in the terminal, and Markdown."""
