"""How are points scored beyond plain similarity? One file a kind of query, all pure functions on arrays."""
