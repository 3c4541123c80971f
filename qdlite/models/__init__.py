"""The wire shapes of Qdrant's REST API: what travels. No behaviour beyond checking themselves."""
