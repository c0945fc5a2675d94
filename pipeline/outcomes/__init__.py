"""What was recommended, what came of it, and what outreach changes."""
