"""The built-in model: phrases that it understands, and pictures that it can describe."""
