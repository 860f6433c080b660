"""One module a DVC stage; each is run as ``python -m stages.NAME`` from the project's folder."""
