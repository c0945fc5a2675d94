"""The night without anyone watching: its parts in their order, one exit code, who is told, and what starts it."""
