"""What everything stands on: errors, paths, devices, worker processes, time limits, progress, files."""
