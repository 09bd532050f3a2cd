"""Statements only. The base class limits each of them to one tenant."""
