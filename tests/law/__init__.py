"""What the laws of several countries ask for in numbers, tried against the service."""
