"""The library's text and the store: reading, writing, merging, building, exchanging."""
