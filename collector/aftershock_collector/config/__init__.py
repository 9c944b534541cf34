"""What the collector is configured to do, and how that is read from a file and the environment."""
