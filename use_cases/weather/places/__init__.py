"""Places: cities and countries by name, looked up in a file that is built once."""
