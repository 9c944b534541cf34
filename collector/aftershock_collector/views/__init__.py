"""What people look at: timelines and attributions, in a terminal and in a browser."""
