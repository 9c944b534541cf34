"""Timelines and lists of runs as self-contained HTML documents."""
