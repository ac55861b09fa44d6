"""A generator that is another program: it is given a folder and leaves crystals in it."""
