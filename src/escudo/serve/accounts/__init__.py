"""Who is there, and what they may do: users, sessions, tokens, the audit log."""
