"""The guard in the agent's process: what runs did, orders and tickets of people, the gate itself."""
