"""Prometheus rules as code: `python -m alerts` writes rules/*.yml."""
