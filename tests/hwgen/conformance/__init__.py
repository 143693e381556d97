"""Conformance of hardware operators: RTL against integer reference and cycle model.

To add an operator, write ``cases_<operator>.py`` here with

    def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]      # level is "quick" or "full"
    MUTATIONS: tuple[Mutation, ...]                                          # planted faults that must be detected

``quick`` takes a few seconds (about ten distinct parameter sets: each is one compilation); ``full`` is the matrix of
widths x lanes x shapes. The runner simulates every case under {none, random, stalls} back-pressure and input gaps.
"""
