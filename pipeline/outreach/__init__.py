"""From scores to a decision: whom to contact, how and why, and whom not."""
