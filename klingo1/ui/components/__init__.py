"""The page's own elements: each a class, a template, a style sheet and a script beside it."""
