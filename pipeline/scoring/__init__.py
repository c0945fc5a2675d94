"""The nightly run: today's customers in, a published night out."""
