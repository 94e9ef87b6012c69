"""What the documentation shows is run, and answers what it says."""
