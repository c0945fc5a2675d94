"""One churn model: its members, their blend, how it is kept, read and explained."""
