"""The social login port: OpenID Connect and OAuth 2 providers."""
