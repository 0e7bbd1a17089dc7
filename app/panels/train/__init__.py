"""The Train panel and its parts: the recipe, the layers, the curves, the mistakes."""
