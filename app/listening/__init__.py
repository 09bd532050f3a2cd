"""Where the gateway listens, and what one connection may cost it."""
