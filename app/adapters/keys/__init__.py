"""Keys and what is done with them: signing, sealing and hashing."""
