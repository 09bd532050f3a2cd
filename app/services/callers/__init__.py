"""From a presented token to the caller."""
