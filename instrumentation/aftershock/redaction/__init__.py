"""Secrets and personal data in texts: found in every common form, replaced by their kind. Pure."""
