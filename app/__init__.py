"""Customer Gateway: one GraphQL endpoint that gives a shop everything about its customers."""
