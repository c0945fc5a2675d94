"""One customer out of everything that churn keeps, and a certificate of it."""
