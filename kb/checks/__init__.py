"""What kb verifies: one file per kind of check, and `run.py` that puts every claim through all of them."""
