"""The agents of the demo: ordinary programs, started through `aftershock run`."""
