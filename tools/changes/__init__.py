"""What changed for callers between two states of the project: the contracts and their Python, compared and joined."""
