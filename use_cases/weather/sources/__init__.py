"""Sources of weather: Open-Meteo and its cache, and sample data."""
