"""Alembic migrations, which run on both databases."""
