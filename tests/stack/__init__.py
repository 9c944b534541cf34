"""The full stack with its real programs, on loopback."""
