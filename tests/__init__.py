"""How is qdlite tested? A regular package, so that no `tests` which some other project has installed is found first."""
