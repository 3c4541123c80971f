"""How is the database reached? Over HTTP, through the stock client without a socket, from the command line."""
