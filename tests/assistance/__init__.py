"""Help with costs."""
