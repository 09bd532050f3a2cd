"""Words and pure rules; imports nothing of the application."""
