"""From URIs to checked tables, wherever they are."""
