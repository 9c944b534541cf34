"""Simulated incidents: seeded, written as scraped text, and judged by the live path."""
