"""The Inspect panel and its parts: the maps of each layer, the filters, and how they are arranged."""
