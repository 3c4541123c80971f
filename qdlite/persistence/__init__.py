"""Collections and databases as files: qdlite's archive format, and nothing else that is written to a disk."""
