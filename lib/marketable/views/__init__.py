"""What several rooms show with: words, tables, charts, pages, and the widgets they share. Nothing here knows a rule."""
