"""On paper: what a very large gateway would need, from what one request and one customer cost here."""
