"""Social login: to a provider and back, and whose account it is then."""
