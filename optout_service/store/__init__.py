"""The memory: the only importer of SQLAlchemy. Functions take a Connection and never commit."""
