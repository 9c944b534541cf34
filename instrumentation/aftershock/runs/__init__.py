"""Steps to runs, findings to claims: ordering, bounding, opening and closing. Pure."""
