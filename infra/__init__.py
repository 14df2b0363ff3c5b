"""The workshop of a clone: tests, checks, builds."""
