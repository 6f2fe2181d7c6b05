"""The guided recovery on screen: one pane for each of its six steps. It shows the guide and holds nothing."""
