"""What runs behind the answers: delivery, erasure and purging."""
