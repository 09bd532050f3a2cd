"""What staff and their systems do with customers."""
