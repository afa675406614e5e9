"""The verbs of the command line, what they print and their exit codes.

A verb reads its arguments, calls one function of a lower layer and shows the outcome. Heavy libraries
are loaded inside the verb that needs them, so that ``check`` answers at once.
"""
