"""Why one customer has its probability: `churn explain`."""
