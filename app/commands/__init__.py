"""The commands, each imported when it is called: what one needs, the others need not wait for."""
