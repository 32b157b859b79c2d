"""Reproductions: the manifest, the runner, the statistics, and `report`, which is all that an experiment imports."""
