"""Is all set up as it should be? What is found, and how to mend it."""
