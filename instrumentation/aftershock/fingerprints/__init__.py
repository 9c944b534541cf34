"""What can be compared about content without keeping it. Pure."""
