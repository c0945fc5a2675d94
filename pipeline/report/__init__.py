"""Pictures and the page that people read."""
