"""How well changes other than drift are found: worlds in which each kind was planted, and what is told of them.

`python -m benchmarks.change_worlds` prints precision and recall by kind. Thresholds were chosen on worlds
1 to 300; docs/accuracy.md has scores on others.
"""
