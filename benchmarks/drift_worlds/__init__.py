"""How well drift is found: invented worlds with known changes, and what is found in them.

`python -m benchmarks.drift_worlds` prints recall, accuracy of the day, and false alarms, beside two
usual ways of raising alarms. Thresholds were chosen on worlds 1 to 500; docs/accuracy.md has scores on others.
"""
