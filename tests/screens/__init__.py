"""The app's screens, driven by keys, on real servers and stores."""
