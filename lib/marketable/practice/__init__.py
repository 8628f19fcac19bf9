"""What people practise: contacts to predict, switches to find, questions of the lessons, and the progress in all that.

Every right answer is computed by the engine and the answers below, in the moment it is asked for.
"""
