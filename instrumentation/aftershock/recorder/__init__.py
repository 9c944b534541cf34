"""In the agent's process: everything that records it, from `aftershock run` to the export."""
