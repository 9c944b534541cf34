"""Metrics: samples → points in bounded series, by entity and family."""
