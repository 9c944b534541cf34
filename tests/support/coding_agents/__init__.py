"""Real coding agents, run offline against a scripted model."""
