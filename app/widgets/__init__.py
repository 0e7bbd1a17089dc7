"""Widgets. They draw what they are given and know nothing of training."""
