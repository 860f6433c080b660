"""One module per DVC stage, run as ``python3 -m stages.NAME`` in the project's folder."""

from stages.interpreter import find_environment

find_environment()
