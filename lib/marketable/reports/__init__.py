"""Reports made: the notebook run by papermill, its page and figures written whole; many of them; two compared; and the
command that asks for it.
"""
