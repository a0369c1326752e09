"""What a person sees of a run: shows events, and knows nothing of the runtime behind them."""
