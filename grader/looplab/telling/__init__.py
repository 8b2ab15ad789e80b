"""What people and machines get: the card, results.json, progress, the comparison of two worlds."""
