"""The threads of the window. Whatever takes longer than a frame runs in one of them and answers by signals."""
