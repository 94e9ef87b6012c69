"""What convinces others: checkpoints kept outside the database, and bundles of evidence."""
