"""What a customer may request about their data: the erasure and a copy."""
