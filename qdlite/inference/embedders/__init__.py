"""How does one local model turn texts or images into vectors?"""
