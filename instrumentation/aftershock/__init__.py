"""Aftershock."""
