"""What a backend must do (contract.py), which there are (devices.py), and each in a folder of its own."""
