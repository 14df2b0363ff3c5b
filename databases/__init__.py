"""Engines for SQLite and PostgreSQL, threads that run a whole transaction per call, and column types."""
