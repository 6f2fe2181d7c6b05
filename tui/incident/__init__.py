"""The guided recovery without a screen: steps, candidates, timeline, report."""
