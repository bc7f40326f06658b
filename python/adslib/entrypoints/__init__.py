"""Thin ways in: parse, call one use case, present."""
