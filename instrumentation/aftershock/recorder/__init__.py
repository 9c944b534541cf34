"""In the agent's process: what records it, from `aftershock run` to the last look before export."""
