"""The database, its checkpoints and a signed manifest in one file; proven, and put back."""
