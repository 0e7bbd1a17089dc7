"""The threads of the window. What takes longer than a frame runs in one of them and answers by signals."""
