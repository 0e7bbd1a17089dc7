"""The Data panel and its parts: the datasets, the gallery, a closer look, variations."""
