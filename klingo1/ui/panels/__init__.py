"""The page's areas, each a frozen dataclass of components without behaviour."""
