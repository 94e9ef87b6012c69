"""Benchmarks: ``python -m tests.bench``. Ratios in one run, side by side; never asserted."""
