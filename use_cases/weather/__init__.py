"""The weather assistant: current conditions, forecasts and local times of cities, with interactive widgets."""
