"""Teaching the shipped networks own pictures, so that these are read and nothing is forgotten."""
