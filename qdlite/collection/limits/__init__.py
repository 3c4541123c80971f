"""What does a collection refuse although it could do it? Strict mode's limits, and the rates of reads and writes."""
