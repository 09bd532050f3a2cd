"""The tenants file: read, checked, and turned into the shops."""
