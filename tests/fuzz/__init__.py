"""Fuzzing of everything that kb reads from others: `python -m tests.fuzz --help`, and a few inputs in every test run.

`mutate` makes input number n of a target from the repository's own files, always the same for the same seed;
`targets` hands it to kb; `run` does that in a child process that is stopped when an input takes too long or too much.
"""
