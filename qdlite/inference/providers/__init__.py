"""How are models called that run at an external provider? Picked by the first part of the model's name."""
