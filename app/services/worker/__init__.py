"""Background work: delivery, erasure and purging."""
