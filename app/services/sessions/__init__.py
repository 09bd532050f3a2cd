"""Sessions and the tokens that they hand out."""
