"""A search for networks that are accurate, small and fast at once."""
