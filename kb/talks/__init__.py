"""Talks: claims chosen, put in order, fitted to the minutes, each with its evidence, and written out.

`build.build` makes the one outline model; a small renderer per format writes it. Nothing here changes a store.
"""
