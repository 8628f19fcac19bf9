"""Starts the app: `python -m marketable.app`."""

from marketable.report.process import start_quickly

start_quickly()  # before what it concerns is loaded

from .serve import App  # noqa: E402

App.launch_instance()
