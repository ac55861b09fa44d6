"""REST and OPTIMADE: the store, read and steered over HTTP."""

import logging

# optimade-python-tools makes log files when it is imported, unless its logger has a handler
logging.getLogger("optimade").addHandler(logging.NullHandler())
