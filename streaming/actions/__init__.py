"""Actions: what a use case declares, what a widget offers, what a click does."""
