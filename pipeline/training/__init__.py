"""The weekly run: history in, a proven model out."""
