"""The databases: SQLite's connections and threads, PostgreSQL's engine, column types."""
