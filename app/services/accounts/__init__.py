"""A customer's account: sign-up, proof of ownership, credentials, and what the customer stores in it."""
