"""Terms and pure rules. It imports nothing else of the application."""
