"""The store: one SQLite file. How it is found, opened, migrated, written (`edit`) and read (`queries`, `search`)."""
