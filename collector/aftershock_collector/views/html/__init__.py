"""Timelines and lists of runs as self-contained pages."""
