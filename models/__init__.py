"""Network presets, and the weights that ship with the product."""
