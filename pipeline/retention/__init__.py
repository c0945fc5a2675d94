"""The rate of kept customers, and what explains it."""
