"""What people practise: questions, made-up contacts to predict, switches to find, progress; the panels show them."""
