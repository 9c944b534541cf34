"""Grafana as code: `python -m dashboards` writes generated/*.json, which is what Grafana reads."""
