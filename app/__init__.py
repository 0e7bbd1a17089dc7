"""The DigitLab application: the command line and the window."""
