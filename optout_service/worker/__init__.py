"""A process that serves: who is served next, and who may hold its threads."""
