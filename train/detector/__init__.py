"""The network that detects digits: its layers, targets, loss and runs."""
