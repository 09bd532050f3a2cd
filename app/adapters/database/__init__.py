"""The database port on SQLite and on PostgreSQL, and its schema."""
