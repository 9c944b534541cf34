"""Telling: findings, runs and verdicts as pages, timelines and pictures."""
