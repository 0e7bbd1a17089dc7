"""What people draw, write and photograph besides digits, made by code: the detector of non-digits is trained on it."""
