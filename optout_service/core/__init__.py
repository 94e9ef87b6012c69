"""The rules. Pure: no Flask, no SQLAlchemy, no clock, no environment, no network."""
