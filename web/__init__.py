"""The HTTP edge: routes, identity, limits, failures."""
