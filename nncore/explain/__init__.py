"""What a network does with one image, seen in different ways: one way a file, each a function (predictor, image) → result."""
