"""Help in plain words: articles that translators handle with every other text, and their search."""
