"""The use cases: one function for each query and mutation."""
