"""Keys are changed while all goes on: what is stored under an old one comes under a new."""
