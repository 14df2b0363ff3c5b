"""Places: cities and countries by name, from a file that is made once."""
