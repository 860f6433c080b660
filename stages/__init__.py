"""One module a DVC stage; each is run as ``python3 -m stages.NAME`` from the project's folder."""

from stages.interpreter import find_environment

find_environment()
