"""One answer in the making: who asks, its state, its events, its texts."""
