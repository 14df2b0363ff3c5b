"""Actions: their declaration by use cases, their offer by widgets, and the handling of clicks."""
