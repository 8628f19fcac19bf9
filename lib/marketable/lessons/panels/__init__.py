"""The lessons as people meet them: the article beside the rule, experiments, practice, questions, progress."""
