"""How well causes are named: sources that break for a known reason, with what happens beside it by chance.

`python -m benchmarks.cause_worlds` prints precision and recall by cause. Weights were chosen on worlds 1 to 999.
"""
