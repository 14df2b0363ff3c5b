"""Sources of weather: Open-Meteo, samples, and a cache in front of them."""
