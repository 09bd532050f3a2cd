"""The OAuth endpoints: how other systems get their tokens."""
