"""What a model file is worth."""
