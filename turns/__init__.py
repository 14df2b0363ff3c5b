"""What an answer in the making consists of: who asks, its state, its events, its texts."""
