"""Engines of SQLite and PostgreSQL, threads that do a transaction in one visit, and column types."""
