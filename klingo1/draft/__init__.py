"""The free engine: cuts the subjects out, builds the set the prompt asks for, and films it."""
