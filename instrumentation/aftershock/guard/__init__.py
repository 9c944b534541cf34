"""The guard in the agent's process: what runs did, the connection to people, the gate itself."""
