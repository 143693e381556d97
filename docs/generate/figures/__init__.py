"""The figures of ``docs/concepts.md``, one file each."""
