"""Who gets a thread, and when: by the numbers, and at the real server."""
