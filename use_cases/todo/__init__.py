"""The to-do list: one list per user, the same in all of that user's threads."""
