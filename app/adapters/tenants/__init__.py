"""The tenants file: reads it, checks it, and returns the shops."""
