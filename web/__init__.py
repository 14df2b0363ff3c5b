"""HTTP: middleware, routes, and the response that sends events."""
