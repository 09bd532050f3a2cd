"""The mail ports: texts, SMTP, and the folder of the development mailbox."""
