"""What leaves the gateway: mails, events and tasks, all by way of the outbox."""
