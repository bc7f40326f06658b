"""The outside world, one room a kind."""
