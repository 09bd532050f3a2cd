"""Mails, events and tasks, which all go through the outbox."""
