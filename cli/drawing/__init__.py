"""The command draw: its page, on which one draws a digit."""
