"""Reports: what is found, the sections that show it, one page or many, two compared, and the command.

A section is a cell of the notebook. To add one, write a function in `sections` that takes Findings and returns a
Section, and a cell that calls it.
"""
