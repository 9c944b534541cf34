"""What is decided before a call runs: the same in the agent's process and in the collector."""
