"""The Runs panel: curves of ticked runs over each other, the table of runs, and what differs between those that are ticked."""
