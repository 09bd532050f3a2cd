"""Statements only, each bound to one tenant by the base class."""
