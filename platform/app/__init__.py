"""What can be done with fermiloop, one module a noun: the functions that command line, REST API and pages call.

The caller connects (`fermiloop.platform.store.connection.connect`). Flows are imported by the functions that need them,
since they load engines.
"""
