"""Development tools of a clone: build of the client, tests, checks, generated documents. They are not installed."""
