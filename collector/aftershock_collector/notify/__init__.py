"""Findings to pages, and pages to the services that wake people: one file per service."""
