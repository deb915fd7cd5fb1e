"""The network that recognizes the characters of a line: its layers, loss and runs."""
