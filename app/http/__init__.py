"""The ASGI edge: the GraphQL endpoint, probes and middleware."""
