"""The only modules that touch the world: one file per thing outside."""
