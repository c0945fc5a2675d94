"""The next rate from the model's probabilities, kept every night and held against what came."""
