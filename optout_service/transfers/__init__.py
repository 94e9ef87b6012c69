"""Whole lists in and out of the store, in constant memory; for the API and the command line."""
