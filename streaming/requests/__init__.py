"""ChatKit's requests: checked, stored, delivered."""
