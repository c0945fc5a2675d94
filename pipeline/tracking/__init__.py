"""The champion, and the page on which people compare models."""
