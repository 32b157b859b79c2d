"""Where sources come from: BibTeX, DOI and arXiv look-up, the text of a source."""
