"""Strawberry types and resolvers of two or three lines; no rule, no SQL."""
