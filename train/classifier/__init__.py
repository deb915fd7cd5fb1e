"""The network that reads a digit: its layers, recipes, runs and training images."""
