"""The workbench and the lessons as an app, for people who do not code: the server, and the kernels that it
forks.
"""
