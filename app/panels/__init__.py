"""The five panels. A panel never computes: it asks the lab and draws what comes back."""
