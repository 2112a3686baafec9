"""Fuzzing: what must hold of any bytes (`targets`), and a search for bytes of which it does not (`python -m fuzz`).

    make fuzz                               each target for a minute
    make fuzz TARGET=page SECONDS=600       one of them for ten

`tests/test_fuzz.py` replays each crash that was found, and tries the same promises on inputs that are made to fit.
"""
