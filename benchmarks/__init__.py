"""How fast is qdlite, and how does its cost grow? One module per question, all engines on the same data.

`python -m benchmarks --help` says how to run them; `docs/benchmarks.md` is made from the results alone.
"""
