"""Escudo's own routes, in JSON, under ``/api``; they stand in its OpenAPI description."""
