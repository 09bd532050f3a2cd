"""What a customer may ask of what is held about them: erasure and a copy."""
