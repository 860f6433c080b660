"""The base of all other packages: errors, paths, devices, files, worker processes, time limits, progress."""
