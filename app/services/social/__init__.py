"""Social login: to a provider and back, and which account it opens."""
