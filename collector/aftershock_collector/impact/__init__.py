"""Impact: how probable it is that an action, and not another one or nobody, broke something."""

from aftershock_collector.impact.observation import ActionObserver

__all__ = ["ActionObserver"]
