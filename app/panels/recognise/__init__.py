"""The Recognise panel: digits that are drawn or come on pictures, what the network makes of them, and how they came to it."""
