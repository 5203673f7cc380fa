"""What makes content and brings it here."""
