"""The page: panels of components, the behaviour behind them, the words a person reads."""
