"""Starts the app: `python -m marketable.app`."""

from .serve import App

App.launch_instance()
