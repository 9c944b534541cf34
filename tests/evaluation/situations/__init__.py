"""Small runs as operators meet them, each with what the person on call wants to be told."""
