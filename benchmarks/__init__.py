"""Timings of tf2compat beside plain torch and each peer that is installed: `python -m benchmarks eager`."""
