"""From an access token to the caller."""
