"""Values of settings, and secrets among them that lie in files."""
