"""What is decided before a call runs: pure, the same in the agent's process, hooks and collector."""
