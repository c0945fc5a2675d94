"""The first config of a company, written from a look at its files."""
