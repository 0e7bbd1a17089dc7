"""The reference backend: every operation of the contract by the layers' own formulas, on plain arrays. Slow, and easy to read."""
