"""Impact: how probable it is that an agent's action, and nothing else, broke something."""

from aftershock_collector.impact.observation import ActionObserver

__all__ = ["ActionObserver"]
