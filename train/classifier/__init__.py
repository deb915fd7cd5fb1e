"""The network that reads a digit: its layers, recipes, runs, and what it learns from."""
