"""Timelines, findings and attributions as lines of text."""
