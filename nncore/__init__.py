"""nncore: a neural-network engine small enough to read in an afternoon. Arrays in, arrays out; it knows nothing of windows."""
