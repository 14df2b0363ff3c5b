"""The workshop of a clone: build of the client, tests, checks, tables in the documents. It is not installed."""
