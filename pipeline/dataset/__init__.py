"""From checked tables to the feature matrix and the labels, on one machine or on a cluster."""
