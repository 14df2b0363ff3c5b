"""Runs: the owner task of an answer, its log, and those who view it."""
