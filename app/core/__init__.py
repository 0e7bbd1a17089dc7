"""What the window knows and does, without Qt."""
