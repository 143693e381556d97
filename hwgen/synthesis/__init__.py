"""Synthesis of a design with open tools."""
