"""A search for networks that are right, small and quick at once."""
