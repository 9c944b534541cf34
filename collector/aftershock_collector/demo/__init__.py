"""The demo: one real incident, played on loopback with real services, agents and load."""
