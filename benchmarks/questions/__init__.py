"""Which questions are measured? One module each; `registry.py` says on which data and in which process."""
