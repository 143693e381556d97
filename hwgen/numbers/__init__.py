"""Number formats: what a stored word stands for, how a real number becomes one, and how words are packed."""
