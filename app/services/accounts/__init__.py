"""A customer's account: how it begins, how it is proved, and all that its owner keeps in it."""
